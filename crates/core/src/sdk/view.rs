//! From a log of ours to the Workflow SDK's events.

use std::collections::BTreeSet;

use super::event::{Bytes, ErrorText, EventData, SPEC_VERSION, SdkEvent, Time};
use crate::event::{Child, Event, EventKind, Failure};
use crate::id::{HookId, RunId};
use crate::payload::{self, Payload, Undefined};

/// A log of ours as the Workflow SDK would have written it, event by event from the first.
///
/// # Examples
///
/// ```
/// use rewake_core::event::{Event, EventKind, Position};
/// use rewake_core::id::EventId;
/// use rewake_core::sdk::SdkView;
/// use rewake_core::time::Timestamp;
///
/// let run = "wrun_01K9Z0000000000000000000AA".parse()?;
/// let hook = "hook_01K9Z0000000000000000000AA".parse()?;
/// let at = Timestamp::from_millis(1_763_281_896_123);
/// let event = |position, kind| Event {
///     position: Position(position),
///     at,
///     id: EventId::mint(at, u128::from(position)),
///     kind,
/// };
/// let mut view = SdkView::new(run);
/// let expired = view.show(&event(7, EventKind::HookExpired { hook })).expect("it is shown");
/// let json = serde_json::to_value(&expired)?;
/// assert_eq!(json["eventType"], "hook_disposed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SdkView {
    run: RunId,
    /// Shown as disposed of.
    disposed: BTreeSet<HookId>,
}

impl SdkView {
    /// The log of `run`, before its first event.
    pub const fn new(run: RunId) -> Self {
        Self {
            run,
            disposed: BTreeSet::new(),
        }
    }

    /// Shows the next event of the log; none for those that the Workflow SDK has no event for. A child
    /// run is shown as the step that it is to its parent, but for one that was let go of. `hook_expired` is shown as the disposal and `run_continued` as the completion that they are to
    /// the SDK's tools, and a hook is disposed of once: that the receiver of one which had been closed
    /// or had expired is dropped is shown to nobody.
    pub fn show(&mut self, event: &Event) -> Option<SdkEvent> {
        let (event_type, event_data) = self.shown(&event.kind)?;
        Some(SdkEvent {
            event_type: event_type.to_owned(),
            correlation_id: event.kind.correlation_id().map(|id| id.as_ref().to_owned()),
            event_data,
            spec_version: Some(SPEC_VERSION),
            run_id: self.run.as_str().to_owned(),
            event_id: event.id.as_str().to_owned(),
            created_at: Time(event.at),
        })
    }

    fn shown(&mut self, kind: &EventKind) -> Option<Shown> {
        // As those tools see it, a child run that was let go of would never end.
        let detached = |child: &Child| child.detached;
        if matches!(kind, EventKind::StepCreated { child, .. } if child.as_ref().is_some_and(detached))
        {
            return None;
        }
        let data = match kind {
            EventKind::RunCreated { .. }
            | EventKind::RunCompleted { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunCancelled { .. } => of_run(kind),
            EventKind::StepCreated { .. }
            | EventKind::StepStarted { .. }
            | EventKind::StepCompleted { .. }
            | EventKind::StepFailed { .. }
            | EventKind::StepRetrying { .. } => Some(of_step(kind)),
            EventKind::HookCreated { .. }
            | EventKind::HookReceived { .. }
            | EventKind::HookConflict { .. } => Some(of_hook(kind)),
            EventKind::WaitCreated { resume_at, .. } => Some(EventData {
                resume_at: Some(Time(*resume_at)),
                ..EventData::default()
            }),
            EventKind::RunStarted | EventKind::WaitCompleted { .. } => None,
            EventKind::HookDisposed { hook, .. } | EventKind::HookExpired { hook } => {
                return self
                    .disposed
                    .insert(*hook)
                    .then_some(("hook_disposed", None));
            }
            EventKind::RunContinued { .. } => {
                let output = payload::encode(&Undefined).ok().map(Bytes);
                let data = EventData {
                    output,
                    ..EventData::default()
                };
                return Some(("run_completed", Some(data)));
            }
            EventKind::RunCancelRequested { .. }
            | EventKind::WaitCancelled { .. }
            | EventKind::AttrSet { .. }
            | EventKind::PatchMarked { .. } => return None,
        };
        Some((kind.name(), data))
    }
}

type Shown = (&'static str, Option<EventData>);

fn of_run(kind: &EventKind) -> Option<EventData> {
    let mut data = EventData::default();
    if let EventKind::RunCreated {
        workflow,
        input,
        build,
        attributes,
        ..
    } = kind
    {
        data.workflow_name = Some(workflow.clone());
        data.deployment_id = Some(build.clone());
        data.input = Some(bytes(input));
        data.attributes.clone_from(attributes);
    }
    if let EventKind::RunCompleted { output } = kind {
        data.output = Some(bytes(output));
    }
    if let EventKind::RunFailed { error } = kind {
        data.error = Some(ErrorText::Object {
            message: error.message.clone(),
            stack: stack(error),
        });
    }
    if let EventKind::RunCancelled { reason, .. } = kind {
        data.cancel_reason = Some(reason.clone()?);
    }
    Some(data)
}

fn of_step(kind: &EventKind) -> EventData {
    let mut data = EventData::default();
    if let EventKind::StepCreated { name, input, .. } = kind {
        data.step_name = Some(name.clone());
        data.input = Some(bytes(input));
    }
    if let EventKind::StepStarted { attempt, .. } = kind {
        data.attempt = Some(*attempt);
    }
    if let EventKind::StepCompleted { result, .. } = kind {
        data.result = Some(bytes(result));
    }
    if let EventKind::StepFailed { error, .. } | EventKind::StepRetrying { error, .. } = kind {
        data.error = Some(ErrorText::Text(error.message.clone()));
        data.stack = stack(error);
    }
    if let EventKind::StepRetrying { retry_at, .. } = kind {
        data.retry_after = Some(Time(*retry_at));
    }
    data
}

fn of_hook(kind: &EventKind) -> EventData {
    let mut data = EventData::default();
    if let EventKind::HookCreated {
        token,
        metadata,
        is_webhook,
        ..
    } = kind
    {
        data.token = Some(token.as_str().to_owned());
        data.metadata = metadata.as_ref().map(bytes);
        data.is_webhook = Some(*is_webhook);
    }
    if let EventKind::HookReceived { payload, .. } = kind {
        data.payload = Some(bytes(payload));
    }
    if let EventKind::HookConflict { token, owner, .. } = kind {
        data.token = Some(token.as_str().to_owned());
        data.conflicting_run_id = Some(owner.as_str().to_owned());
    }
    data
}

fn bytes(payload: &Payload) -> Bytes {
    Bytes(payload.clone())
}

/// The causes of a failure, where the Workflow SDK's tools show the stack of an error.
fn stack(error: &Failure) -> Option<String> {
    if error.causes.is_empty() {
        return None;
    }
    let mut lines = vec![error.message.clone()];
    lines.extend(
        error
            .causes
            .iter()
            .map(|cause| format!("caused by: {cause}")),
    );
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Disposal, Position};
    use crate::id::EventId;
    use crate::samples;

    fn view(kind: EventKind) -> Option<SdkEvent> {
        SdkView::new(samples::run()).show(&event(kind))
    }

    fn event(kind: EventKind) -> Event {
        let at = samples::at(1_763_281_896_123);
        Event {
            position: Position(1),
            at,
            id: EventId::mint(at, 0),
            kind,
        }
    }

    #[test]
    fn a_hook_is_disposed_of_once() {
        let hook = samples::hook();
        let disposed = |by| event(EventKind::HookDisposed { hook, by });
        let ends = [
            event(EventKind::HookExpired { hook }),
            disposed(Disposal::Closed),
        ];
        for end in ends {
            let mut view = SdkView::new(samples::run());
            let shown = view.show(&end).unwrap();
            assert_eq!(shown.event_type, "hook_disposed");
            assert_eq!(view.show(&disposed(Disposal::Dropped)), None);
            let other = EventKind::HookDisposed {
                hook: HookId::mint(samples::at(2), 2),
                by: Disposal::Dropped,
            };
            assert!(view.show(&event(other)).is_some());
        }
    }

    #[test]
    fn each_event_is_shown_under_its_name_but_those_the_sdk_has_none_for() {
        let mut hidden = Vec::new();
        let mut renamed = Vec::new();
        for kind in samples::every_kind() {
            let name = kind.name();
            match view(kind) {
                None => hidden.push(name),
                Some(shown) if shown.event_type == name => {}
                Some(shown) => renamed.push((name, shown.event_type)),
            }
        }
        let unknown = [
            "run_cancel_requested",
            "wait_cancelled",
            "attr_set",
            "patch_marked",
        ];
        assert_eq!(hidden, unknown);
        let other = [
            ("run_continued", "run_completed".to_owned()),
            ("hook_expired", "hook_disposed".to_owned()),
        ];
        assert_eq!(renamed, other);
    }

    #[test]
    fn causes_stand_where_the_stack_does() {
        let error = Failure {
            message: "cannot publish".to_owned(),
            causes: vec!["refused".to_owned(), "no route".to_owned()],
        };
        let shown = view(EventKind::RunFailed { error }).unwrap();
        let json = serde_json::to_value(&shown).unwrap();
        assert_eq!(json["createdAt"], "2025-11-16T08:31:36.123Z");
        assert_eq!(
            json["eventData"]["error"],
            serde_json::json!({
                "message": "cannot publish",
                "stack": "cannot publish\ncaused by: refused\ncaused by: no route",
            })
        );
    }

    #[test]
    fn never_is_the_last_date_there_is() {
        let shown = view(EventKind::WaitCreated {
            wait: samples::wait(),
            resume_at: crate::time::Timestamp::MAX,
        });
        let json = serde_json::to_value(shown).unwrap();
        assert_eq!(json["eventData"]["resumeAt"], "+275760-09-13T00:00:00.000Z");
    }
}
