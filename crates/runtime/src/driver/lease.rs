//! Leases, as a driver sees them: whether its run is this node's, and what follows where it was a dead
//! one's.
//!
//! A lease lets nobody append: that is for positions to decide. A driver without one goes, because
//! another does the same work.

use rewake_store::{Lease, RunRow};

use super::{Driver, Exit, Stop};

impl Driver {
    /// True where the store is shared and the row does not say that the run is this node's.
    pub(super) fn must_lease(&self, row: &RunRow) -> bool {
        let node = self.engine.node();
        node.is_some() && row.node != node
    }

    /// Takes the run, unless another node that lives has it: then nothing is to be done for it here.
    pub(super) async fn lease(&mut self) -> Result<(), Stop> {
        let Some(node) = self.engine.node() else {
            return Ok(());
        };
        match self.engine.store.lease(node, self.run).await? {
            Lease::Own { orphaned } => {
                self.recorded.orphaned |= orphaned;
                Ok(())
            }
            Lease::Elsewhere => Err(Stop::Exit(Exit::Left)),
        }
    }

    /// This node was taken for dead: another may be at work on the run already.
    pub(super) async fn look_at_lease(&mut self) -> Result<(), Stop> {
        let Some(node) = self.engine.node() else {
            return Ok(());
        };
        match self.engine.store.lease(node, self.run).await {
            Ok(Lease::Own { .. }) => self.read_tail().await,
            Ok(Lease::Elsewhere) => Err(Stop::Superseded),
            // Positions will tell.
            Err(error) => {
                tracing::debug!(run = %self.run, %error, "nobody says whose the run is");
                Ok(())
            }
        }
    }

    /// True where the node that had the run died and it may be why. One that was counted before waits
    /// for its turn, so that only the culprit is counted again.
    pub(super) async fn is_suspect_orphan(&mut self) -> bool {
        if self.engine.node().is_none() {
            return false;
        }
        let recovery = &self.engine.recovery;
        let suspect = self.recorded.orphaned || self.recovering || recovery.is_suspect(self.run);
        let counted_before = self.recorded.crashes > 0;
        if suspect && counted_before && !recovery.is_counted(self.run) {
            self.turn = Some(recovery.turn_of_suspect().await);
        }
        suspect
    }

    /// The run has come to rest, or is no longer this process's: whatever it was counted for counts no
    /// more here.
    pub(super) fn forgive(&mut self) {
        if self.recorded.crashes > 0 && self.engine.node().is_some() {
            self.engine.recovery.forget(self.run);
        }
        self.recorded.crashes = 0;
    }
}
