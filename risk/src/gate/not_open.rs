use model::{Finding, Order, Reject};

use crate::view::View;

/// Refuses a replace of an order that cannot fill any more.
pub(crate) fn check(_: &Order, view: &View<'_>) -> Finding {
    Finding::holds(Reject::NotOpen, view.replaces.is_none_or(|held| held.is_open))
}
