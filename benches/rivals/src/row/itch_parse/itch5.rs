//! The same by itch5's visitor.

use std::ops::ControlFlow::{self, Continue};

use ::itch5::messages::{
    AddOrderNoMPIDAttribution, AddOrderWithMPIDAttribution, OrderCancel, OrderDelete,
    OrderExecuted, OrderExecutedWithPrice, OrderReplace, Trade,
};
use ::itch5::{MessageHandler, Parser};

struct Sum(u64);

impl Sum {
    fn add(&mut self, reference: u64, shares: u32, px: u32) -> ControlFlow<()> {
        self.0 ^= reference ^ u64::from(shares) ^ u64::from(px);
        Continue(())
    }
}

impl MessageHandler for Sum {
    fn on_add_order_no_mpid_attribution(
        &mut self,
        add: &AddOrderNoMPIDAttribution,
    ) -> ControlFlow<()> {
        self.add(add.order_reference_number(), add.shares(), add.price().into_u32())
    }

    fn on_add_order_with_mpid_attribution(
        &mut self,
        add: &AddOrderWithMPIDAttribution,
    ) -> ControlFlow<()> {
        self.add(add.order_reference_number(), add.shares(), add.price().into_u32())
    }

    fn on_order_executed(&mut self, executed: &OrderExecuted) -> ControlFlow<()> {
        self.add(executed.order_reference_number(), executed.executed_shares(), 0)
    }

    fn on_order_executed_with_price(
        &mut self,
        executed: &OrderExecutedWithPrice,
    ) -> ControlFlow<()> {
        let px = executed.execution_price().into_u32();
        self.add(executed.order_reference_number(), executed.executed_shares(), px)
    }

    fn on_order_cancel(&mut self, cancel: &OrderCancel) -> ControlFlow<()> {
        self.add(cancel.order_reference_number(), cancel.cancelled_shares(), 0)
    }

    fn on_order_delete(&mut self, delete: &OrderDelete) -> ControlFlow<()> {
        self.add(delete.order_reference_number(), 0, 0)
    }

    fn on_order_replace(&mut self, replace: &OrderReplace) -> ControlFlow<()> {
        self.add(
            replace.original_order_reference_number(),
            replace.shares(),
            replace.price().into_u32(),
        )
    }

    fn on_trade(&mut self, trade: &Trade) -> ControlFlow<()> {
        self.add(0, trade.shares(), trade.price().into_u32())
    }
}

/// The sum of all messages.
pub fn sum(bytes: &[u8]) -> u64 {
    let mut sum = Sum(0);
    Parser::new(bytes).parse_stream(&mut sum).map_or(0, |()| sum.0)
}
