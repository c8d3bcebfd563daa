"""TA-Lib over whole arrays."""

import sys

import rounds


def contender(function, period):
    def make():
        import numpy
        import talib

        prices = numpy.loadtxt(sys.argv[1])
        compute = getattr(talib, function)
        return lambda: compute(prices, period), lambda values: round(float(values[-1]) * 1e6)

    return make


rounds.serve({"ema": contender("EMA", 20), "rsi": contender("RSI", 14)})
