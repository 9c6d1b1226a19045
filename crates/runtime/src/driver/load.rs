//! Loading: from the store's rows to a machine that stands where its log ends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rewake_core::event::{EventKind, EventRef, Frame, Position, Writer};
use rewake_core::replay::{Machine, OpenStep};
use rewake_store::{RunRow, RunWithLog};

use super::hear::{More, Question};
use super::{Driver, Exit, Stop};
use crate::dispatch::{Message, TakenUp, is_culprit};
use crate::engine::Inner;
use crate::executor::Stuck;
use crate::registry::Workflow;
use crate::step::{Circumstances, judge_lost_attempt};

/// About how much of a log is read at once, in bytes.
pub(super) const PAGE: usize = 1 << 20;
/// A workflow's code takes no longer from one await to the next; what does is reported.
const SLOW: Duration = Duration::from_secs(1);

impl Driver {
    /// Brings the machine to where the run's log ends, if something is to be done for the run.
    pub(super) async fn load(&mut self) -> Result<(), Stop> {
        self.turn = self.engine.recovery.turn().await;
        let heard = self.hear_first();
        match heard.begun {
            // One that is begun while suspects are looked for is counted like any other. Where there is
            // news, another worker may have begun steps already, and those are not to be begun anew.
            Some(frame) if heard.more == More::Nothing && !self.engine.recovery.is_under_way() => {
                self.begin_new(frame).await
            }
            _ => {
                let only_looking = heard.more != More::News;
                self.replay(only_looking, heard.found).boxed().await
            }
        }
    }

    /// Feeds the beginning of a log that has nothing else in it yet. The row of its run is what a new
    /// run's row is.
    async fn begin_new(&mut self, frame: Frame) -> Result<(), Stop> {
        let began = frame.events.first();
        let Some(EventKind::RunCreated { workflow, .. }) = began else {
            return self.replay(false, None).boxed().await;
        };
        let Some(workflow) = self.engine.registry.shared_workflow(workflow) else {
            return self.replay(false, None).boxed().await;
        };
        self.workflow = Some(Arc::clone(workflow));
        // Nobody has driven it before.
        self.marked = false;
        self.recorded.wake_at = Some(frame.at);
        self.feed(frame)?;
        self.loaded = true;
        self.executor.with(Machine::rest).map_err(Stuck::from)?;
        Ok(())
    }

    /// Replays the run's log, if something is to be done for the run. Callers put it in a box: it is large,
    /// and over before the run rests.
    async fn replay(
        &mut self,
        only_looking: bool,
        found: Option<Box<RunWithLog>>,
    ) -> Result<(), Stop> {
        let engine = Arc::clone(&self.engine);
        let _place = engine.loads.acquire().await;
        // Asked before the row is looked at: what that says then has been counted. What was read ahead was
        // counted before, and only its own driver counts it again.
        let counted = engine.recovery.is_counted(self.run);
        // The log comes along where it is replayed at once: not before the run is this node's, nor
        // before it is counted where it alone may be what ended the process.
        let at_once = engine.node().is_none() && self.turn.is_none();
        let (mut row, mut log) = match found {
            // Whoever leaves because of what the row says hears nothing of what has come since.
            Some(found) if self.mailbox.is_empty() => *found,
            Some(_) | None => self.find(at_once).await?,
        };
        let mut workflow = self.consider(only_looking, &row).await?;
        if self.must_lease(&row) {
            self.lease().await?;
            // Whoever had it may have written since.
            let at_once = self.turn.is_none() && row.crashes == 0;
            (row, log) = self.find(at_once).await?;
            workflow = self.consider(only_looking, &row).await?;
        }
        self.workflow = Some(workflow);
        self.children.may_be_owed = row.children > 0;
        self.recorded.wake_at = row.wake_at;
        self.recorded.reacted = row.reacted;
        self.recorded.taken = row.taken;
        self.recorded.crashes = row.crashes;
        self.recorded.parked = row.parked.is_some();
        self.count_if_suspect(counted).await?;
        self.recovering |= self.recorded.crashes > 0;
        for frame in log {
            self.feed(frame)?;
        }
        while self.fed() < row.head && self.read_page().await? {}
        self.loaded = true;
        self.executor.with(Machine::rest).map_err(Stuck::from)?;
        for step in self.executor.with(Machine::open_steps) {
            self.take_over(step);
        }
        // Another build could not follow, this one can. Until that is on record, nothing else may be.
        while self.recorded.parked && !self.executor.with(|machine| machine.has_ended()) {
            let mark = self.mark();
            self.append(mark).await?;
        }
        Ok(())
    }

    /// The run's row, and the first page of its log where that is wanted.
    async fn find(&mut self, with_log: bool) -> Result<RunWithLog, Stop> {
        let engine = Arc::clone(&self.engine);
        let (store, scope) = (&engine.store, engine.scope);
        let found = if with_log {
            store.run_with_log(scope, self.run, PAGE).await?
        } else {
            let row = store.run(scope, self.run).await?;
            row.map(|row| (row, Vec::new()))
        };
        found.ok_or(Stop::Exit(Exit::Left))
    }

    /// The run's workflow, where something is to be done for the run here.
    async fn consider(&mut self, only_looking: bool, row: &RunRow) -> Result<Arc<Workflow>, Stop> {
        let engine = Arc::clone(&self.engine);
        if row.status.is_terminal() {
            return Err(self.had_ended(row));
        }
        if stays_parked(row, &engine) {
            return Err(Stop::Exit(Exit::Left));
        }
        let not_due = row.wake_at.is_none_or(|at| at > engine.host.clock.now());
        if only_looking && not_due && row.parked.is_none() && !self.is_owed(row).await? {
            return Err(self.leave_at_rest(row));
        }
        let Some(workflow) = engine.registry.shared_workflow(&row.workflow) else {
            tracing::warn!(run = %self.run, workflow = row.workflow, "no such workflow in this build");
            return Err(Stop::Exit(Exit::Left));
        };
        Ok(Arc::clone(workflow))
    }

    /// Puts on record, before a replay that may end the process, that there is one. What another build
    /// has given up is as suspect as what an unclean end left.
    async fn count_if_suspect(&mut self, counted: bool) -> Result<(), Stop> {
        let engine = Arc::clone(&self.engine);
        let suspect = self.recorded.parked || engine.recovery.is_under_way();
        if !suspect && !self.is_suspect_orphan().await {
            return Ok(());
        }
        if !counted {
            self.count().await?;
        }
        let crashes = self.recorded.crashes;
        if is_culprit(crashes) {
            return Err(Stuck::CrashedRepeatedly { crashes }.into());
        }
        Ok(())
    }

    async fn count(&mut self) -> Result<(), Stop> {
        let engine = Arc::clone(&self.engine);
        let counts = engine.recovery.count(&engine, vec![self.run]).await?;
        self.recorded.crashes = if let Some(count) = counts.first() {
            *count
        } else {
            // It was counted since its row was read.
            let row = engine.store.run(engine.scope, self.run).await?;
            row.map_or(0, |row| row.crashes)
        };
        Ok(())
    }

    fn leave_at_rest(&self, row: &RunRow) -> Stop {
        if !self.engine.residents.leave(self.run, &self.mailbox) {
            // Something has arrived meanwhile: whoever called looks again.
            self.engine.residents.abandon(self.run);
            self.engine
                .tell(self.run, Message::Recover(TakenUp::default()));
        } else if let Some(at) = row.wake_at.filter(|_| !self.must_lease(row)) {
            self.engine.schedule.add(at, self.run);
        }
        Stop::Exit(Exit::Rested)
    }

    /// Sees to a step that the log leaves open.
    fn take_over(&mut self, step: OpenStep) {
        if !step.under_way {
            self.attempts.add(step);
            return;
        }
        let circumstances = Circumstances {
            options: step.options,
            attempt: step.attempt,
            now: self.engine.host.clock.now(),
            jitter: self.engine.jitter(),
            max_result: self.engine.limits.payload,
        };
        // It began under another driver, which is gone. Until its first rest each start is on record first.
        self.recovering = true;
        self.attempts
            .add_lost(step, judge_lost_attempt(circumstances));
    }

    /// Reads the log from where the machine stands to its end, and feeds it. In a box, as an append is.
    pub(super) fn read_tail(&mut self) -> BoxFuture<'_, Result<(), Stop>> {
        async {
            while self.read_page().await? {}
            Ok(())
        }
        .boxed()
    }

    /// Reads what fits in a page, and feeds it; false where there is no more.
    async fn read_page(&mut self) -> Result<bool, Stop> {
        loop {
            let fed = self.fed();
            let page = self
                .engine
                .store
                .frames(self.engine.scope, self.run, fed, PAGE)
                .await;
            let page = match page {
                Ok(page) => page,
                // How attempts ended is known here only, and leaving would lose it.
                Err(error) if error.is_passing() && !self.attempts.is_quiet() => {
                    self.pause(error).await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let is_more = !page.is_empty();
            for frame in page {
                self.feed(frame)?;
            }
            return Ok(is_more);
        }
    }

    /// Feeds a frame that a message or an answer brought, unless something is missing before it.
    pub(super) fn take_in(&mut self, frame: Frame) -> Result<Option<Question>, Stop> {
        let fed = self.fed();
        if frame.last() <= fed {
            return Ok(None);
        }
        if frame.first != fed.next() {
            return Ok(Some(Question::Log));
        }
        self.feed(frame)?;
        Ok(None)
    }

    pub(super) fn fed(&self) -> Position {
        self.executor.with(|machine| machine.fed())
    }

    fn feed(&mut self, frame: Frame) -> Result<(), Stop> {
        // What another worker began is not known here: its attempts, its timers. Only a replay of
        // the whole log by whoever takes the run over next brings both together.
        let own = self.sent.take(&frame.id);
        if self.loaded && frame.writer == Writer::Worker && !own {
            return Err(Stop::Superseded);
        }
        if own {
            self.begin_children(&frame);
        }
        self.seen = frame.last();
        if frame.writer == Writer::Worker {
            self.seen_worker = frame.last();
        }
        let mut began = self.engine.host.clock.now();
        for event in frame.iter() {
            let fed = self.executor.feed(event);
            let ended = self.engine.host.clock.now();
            self.report_if_slow(event.position, ended.since(began));
            began = ended;
            fed?;
            self.note(event)?;
        }
        if !frame.taken.is_empty() {
            self.executor
                .with(|machine| machine.feed_taken(frame.first, &frame.taken));
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.push(frame);
        }
        Ok(())
    }

    /// A workflow that holds its thread holds up every other that would be polled on it.
    fn report_if_slow(&self, event: Position, took: Duration) {
        if took > SLOW {
            let workflow = self
                .workflow
                .as_ref()
                .map(|workflow| workflow.name.as_str());
            tracing::warn!(
                run = %self.run,
                workflow,
                %event,
                ?took,
                "the workflow held its thread for more than a second; whatever blocks or takes long \
                 belongs in a step"
            );
        }
    }

    fn note(&mut self, event: EventRef<'_>) -> Result<(), Stop> {
        if event.position == Position::START.next() {
            self.begin_body()?;
        }
        self.children.note(event.kind);
        if let EventKind::StepCompleted { step, .. } | EventKind::StepFailed { step, .. } =
            event.kind
        {
            self.executor.context().forget_work(*step);
        }
        if let Some((ready, place)) = self.attempts.note(event.kind)
            && self.wants(ready.step.id)
        {
            self.spawn(ready, place, true);
        }
        Ok(())
    }

    fn begin_body(&mut self) -> Result<(), Stuck> {
        let Some(workflow) = &self.workflow else {
            return Ok(());
        };
        let input = self
            .executor
            .with(|machine| machine.entities().run().map(|run| run.input.clone()));
        let Some(input) = input else { return Ok(()) };
        self.executor.begin(|| (workflow.run)(&input))
    }
}

/// True where this build has parked the run and would do so again. A run that had as many hooks as it
/// might may go on once it may have more, or some have expired.
fn stays_parked(row: &RunRow, engine: &Inner) -> bool {
    row.parked.as_ref().is_some_and(|parked| {
        let has_room = row.live_hooks < engine.limits.live_hooks;
        parked.is_by(&engine.build) && !(parked.code == Stuck::TOO_MANY_HOOKS && has_room)
    })
}
