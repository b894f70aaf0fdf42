//! The audit trail as it grows.

use keybearer_control::activity::Record;
use keybearer_control::error::{Code, Error};
use keybearer_control::wire::Reply;
use keybearer_core::audit;

use crate::control::{Control, Replies, say};

/// The most records that are told at a time: a window shows no more.
const MOST: usize = 1_000;

impl Control {
    /// Tells the last records, and then each that follows, until the peer hangs up.
    pub(crate) async fn activity(&self, last: u32, replies: &mut Replies) -> std::io::Result<()> {
        let mut recorded = self.broker.recorded();
        recorded.mark_unchanged();
        let mut wanted = usize::try_from(last).unwrap_or(MOST).min(MOST);
        let mut told = 0;
        loop {
            let records = match self.records(wanted).await {
                Ok(records) => records,
                Err(error) => return say(replies, &Reply::Failed { error }).await,
            };
            let records: Vec<Record> = records.into_iter().filter(|record| record.seq > told || told == 0).collect();
            let newest = records.last().map(|record| record.seq);
            // The first answer comes even if it is empty: the window then knows that there is nothing.
            if newest.is_some() || told == 0 {
                say(replies, &Reply::Activity { records }).await?;
            }
            told = newest.unwrap_or(told);
            if recorded.changed().await.is_err() {
                return Ok(());
            }
            let newest = *recorded.borrow_and_update();
            wanted = usize::try_from(newest.saturating_sub(told)).unwrap_or(MOST).min(MOST);
        }
    }

    async fn records(&self, last: usize) -> Result<Vec<Record>, Error> {
        let folder = self.broker.places().audit.clone();
        let read = tokio::task::spawn_blocking(move || audit::tail(&folder, last)).await;
        let failed = |cause: String| Error::new(Code::Internal, format!("the audit trail cannot be read: {cause}"));
        let lines = read.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        Ok(lines.into_iter().filter_map(Record::read).collect())
    }
}
