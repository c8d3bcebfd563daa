//! What would pass now of the pair that a line shows.

use model::page::{Room, Rooms};
use model::{
    AccountId, ClientOrderId, Conditions, InstrumentId, Note, Order, OrderId, OrderType, Origin,
    Px, Qty, Reject, Side, Tif,
};
use risk::Market;

use super::Engine;

impl Engine {
    /// The largest limit orders that would pass now, as [`Engine::check`] says to an order of nobody in particular: what is
    /// halted for one client or strategy alone, or closed to clients, is not looked at. `before`: what was said of the pair
    /// last; the search begins there. Changes nothing, and is no input.
    pub fn rooms(
        &self,
        account: AccountId,
        instrument: InstrumentId,
        before: Option<Rooms>,
    ) -> Rooms {
        let market = self.market(instrument.0);
        let [buys, sells] = before.map_or([None; 2], |rooms| rooms.sides.map(Result::ok));
        let order = |side| Order {
            id: OrderId(0),
            client_id: ClientOrderId::EMPTY, // Which no client can use.
            account,
            instrument,
            side,
            order_type: OrderType::Market,
            tif: Tif::Ioc,
            px: Px(0),
            qty: Qty(0),
            conditions: Conditions::NONE,
            origin: Origin::File,
            note: Note::EMPTY,
        };
        let sides = [
            self.room(order(Side::Buy), market.ask, buys, &market),
            self.room(order(Side::Sell), market.bid, sells, &market),
        ];
        Rooms { engine_seq: self.seq, sides }
    }

    /// Of an order that has no price yet, with the best price of the other side.
    fn room(
        &self,
        order: Order,
        best: Option<Px>,
        before: Option<Room>,
        market: &Market,
    ) -> Result<Room, Reject> {
        let px = best.or_else(|| self.risk.collar_px(&order, market, self.now));
        let order = match px {
            Some(px) => Order { order_type: OrderType::Limit, tif: Tif::Day, px, ..order },
            None => order, // The gate says what is wrong with one that cannot be priced.
        };
        let moment = self.moment_of(&order, None);
        let before = before.map_or(Qty(0), |room| room.most.qty);
        let most = self.risk.headroom_near(&order, before, market, moment);
        px.map(|px| Room { px, most }).ok_or(most.binds)
    }
}
