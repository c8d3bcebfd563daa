//! What limits.toml may not say where several engines share the accounts.

use crate::rules::Rules;

/// What of the limits cannot be shared, by account and key, with the reason.
pub(super) fn unshared(rules: &Rules) -> Vec<String> {
    let mut told = Vec::new();
    for account in &rules.accounts {
        let name = account.name;
        if account.drawdown_max_bps.is_some() {
            told.push(format!(
                "account `{name}`: `drawdown_max_bps` must be \"off\" with [shards]: falls from the peaks of parts say nothing \
                 of the fall from the peak of their sum"
            ));
        }
        if account.order_to_trade.is_some() {
            told.push(format!(
                "account `{name}`: `order_to_trade_max` must be \"off\" with [shards]: orders that are free in one shard and \
                 trades in another sum up to more than the limit of both"
            ));
        }
    }
    told
}
