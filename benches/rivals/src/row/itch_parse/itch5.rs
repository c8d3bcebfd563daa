//! The same by itch5's visitor.

use std::ops::ControlFlow::{self, Continue};
use std::ptr::from_ref;

use ::itch5::messages::{
    AddOrderNoMPIDAttribution, AddOrderWithMPIDAttribution, OrderCancel, OrderDelete,
    OrderExecuted, OrderExecutedWithPrice, OrderReplace, Trade,
};
use ::itch5::{MessageHandler, Parser};
use benches::AHEAD_BYTES;

struct Sum<'a, const AHEAD: bool> {
    bytes: &'a [u8],
    sum: u64,
}

impl<const AHEAD: bool> Sum<'_, AHEAD> {
    /// Messages lie where they were read, so that one tells what comes behind it.
    #[inline(always)]
    fn add<T>(&mut self, message: &T, reference: u64, shares: u32, px: u32) -> ControlFlow<()> {
        if AHEAD {
            let at = from_ref(message).addr().wrapping_sub(self.bytes.as_ptr().addr());
            host::prefetch(self.bytes, at.wrapping_add(AHEAD_BYTES));
        }
        self.sum ^= reference ^ u64::from(shares) ^ u64::from(px);
        Continue(())
    }
}

impl<const AHEAD: bool> MessageHandler for Sum<'_, AHEAD> {
    fn on_add_order_no_mpid_attribution(
        &mut self,
        add: &AddOrderNoMPIDAttribution,
    ) -> ControlFlow<()> {
        self.add(add, add.order_reference_number(), add.shares(), add.price().into_u32())
    }

    fn on_add_order_with_mpid_attribution(
        &mut self,
        add: &AddOrderWithMPIDAttribution,
    ) -> ControlFlow<()> {
        self.add(add, add.order_reference_number(), add.shares(), add.price().into_u32())
    }

    fn on_order_executed(&mut self, executed: &OrderExecuted) -> ControlFlow<()> {
        self.add(executed, executed.order_reference_number(), executed.executed_shares(), 0)
    }

    fn on_order_executed_with_price(
        &mut self,
        executed: &OrderExecutedWithPrice,
    ) -> ControlFlow<()> {
        let px = executed.execution_price().into_u32();
        self.add(executed, executed.order_reference_number(), executed.executed_shares(), px)
    }

    fn on_order_cancel(&mut self, cancel: &OrderCancel) -> ControlFlow<()> {
        self.add(cancel, cancel.order_reference_number(), cancel.cancelled_shares(), 0)
    }

    fn on_order_delete(&mut self, delete: &OrderDelete) -> ControlFlow<()> {
        self.add(delete, delete.order_reference_number(), 0, 0)
    }

    fn on_order_replace(&mut self, replace: &OrderReplace) -> ControlFlow<()> {
        self.add(
            replace,
            replace.original_order_reference_number(),
            replace.shares(),
            replace.price().into_u32(),
        )
    }

    fn on_trade(&mut self, trade: &Trade) -> ControlFlow<()> {
        self.add(trade, 0, trade.shares(), trade.price().into_u32())
    }
}

/// The sum of all messages.
pub fn sum<const AHEAD: bool>(bytes: &[u8]) -> u64 {
    let mut sum = Sum::<AHEAD> { bytes, sum: 0 };
    Parser::new(bytes).parse_stream(&mut sum).map_or(0, |()| sum.sum)
}
