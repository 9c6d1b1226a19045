//! Every recorded log: folded by our reader, it shows what the package showed after each event and
//! at the end; shown again in the package's shape, it is what the package wrote.

use std::fs;

use rewake_core::entity::{Entities, Hook, Run, RunStatus, Step, Wait};
use rewake_core::event::Event;
use rewake_core::id::RunId;
use rewake_core::payload::{Date, Payload};
use rewake_core::sdk::{SdkEvent, SdkLog, SdkView};
use rewake_core::time::Timestamp;
use serde_json::{Map, Value, json};

use super::{fixtures, read_json};

struct Recording {
    name: String,
    json: Value,
}

impl Recording {
    fn run(&self) -> RunId {
        let id = self.json["run"]["runId"].as_str().unwrap();
        id.parse().unwrap()
    }

    fn events(&self) -> &[Value] {
        self.json["events"].as_array().unwrap()
    }
}

/// All recordings, by name.
fn recordings() -> Vec<Recording> {
    let files = fs::read_dir(fixtures().join("logs")).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert_eq!(paths.len(), 33, "recordings appear and go on purpose only");
    let recording = |path: std::path::PathBuf| Recording {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        json: read_json(&path),
    };
    paths.into_iter().map(recording).collect()
}

fn push(log: &mut SdkLog, event: &Value) -> Event {
    let event = SdkEvent::from_json(&event.to_string()).unwrap();
    log.push(&event).unwrap()
}

#[test]
fn each_event_makes_of_its_entity_what_the_package_says() {
    let mut compared = 0;
    for recording in recordings() {
        let mut log = SdkLog::new(recording.run());
        for entry in recording.events() {
            push(&mut log, &entry["event"]);
            // The package has made the run by then, and says so one event later.
            if log.entities().run().is_none() {
                assert_eq!(entry["event"]["eventType"], "run_started");
                continue;
            }
            for (kind, theirs) in entry["after"].as_object().unwrap() {
                let mut ours = entity_like(log.entities(), kind, theirs);
                drop_implied(&mut ours, theirs, &theirs["updatedAt"]);
                assert_eq!(ours, known(theirs), "{}: {entry}", recording.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 150, "only {compared} states were compared");
}

#[test]
fn each_log_ends_as_the_package_shows_it() {
    for recording in recordings() {
        let mut log = SdkLog::new(recording.run());
        for entry in recording.events() {
            push(&mut log, &entry["event"]);
        }
        let entities = log.entities();
        let name = &recording.name;
        let shown = |key: &str| sorted(recording.json[key].as_array().unwrap());
        let run = entities.run().unwrap();
        assert_eq!(run_shown(run), known(&recording.json["run"]), "{name}");
        let steps = entities.steps().values();
        let steps: Vec<_> = steps.map(|step| step_shown(run.id, step)).collect();
        assert_eq!(sorted(&steps), shown("steps"), "{name}");
        // The package deletes hooks and waits at a run's end.
        let live = entities.is_live();
        let hooks = entities.live_hooks().filter(|_| live);
        let hooks: Vec<_> = hooks.map(|hook| hook_shown(run.id, hook)).collect();
        assert_eq!(sorted(&hooks), shown("hooks"), "{name}");
        let waits = entities.waits().values().filter(|_| live);
        let waits: Vec<_> = waits.map(|wait| wait_shown(run.id, wait)).collect();
        assert_eq!(sorted(&waits), shown("waits"), "{name}");
    }
}

#[test]
fn what_ours_would_have_refused_is_named() {
    let mut found = Vec::new();
    for recording in recordings() {
        let mut log = SdkLog::new(recording.run());
        for entry in recording.events() {
            push(&mut log, &entry["event"]);
        }
        for irregular in log.irregular() {
            let place = usize::try_from(irregular.position.0).unwrap() - 1;
            let event = &recording.events()[place]["event"]["eventType"];
            found.push(format!(
                "{}: {} {}",
                recording.name,
                event.as_str().unwrap(),
                irregular.why.code()
            ));
        }
    }
    assert_eq!(
        found,
        [
            "argument-cannot-be-serialized: run_started RUN_MISSING",
            "argument-cannot-be-serialized: step_failed STEP_NOT_STARTED",
            "cancelled-twice: run_cancelled RUN_ENDED",
            "cancelled-twice: step_completed RUN_ENDED",
            "parallel: run_completed RUN_ENDED",
            "step-ends-after-its-run: step_completed RUN_ENDED",
        ]
    );
}

#[test]
fn each_event_is_shown_as_the_package_wrote_it() {
    for recording in recordings() {
        let run = recording.run();
        let (mut log, mut view) = (SdkLog::new(run), SdkView::new(run));
        for entry in recording.events() {
            let event = push(&mut log, &entry["event"]);
            let view = view.show(&event).expect("the package knows its own events");
            let mut view = serde_json::to_value(view).unwrap();
            if view["eventType"] == "step_started" {
                // We always say which attempt began; the package leaves it to its view.
                let attempt = view["eventData"]["attempt"].take();
                assert!(attempt.as_u64() >= Some(1), "{attempt}");
            }
            let at = entry["event"]["createdAt"].clone();
            if let Some(data) = view.get_mut("eventData") {
                drop_implied(data, &entry["event"]["eventData"], &at);
            }
            drop_empty(&mut view);
            assert_eq!(
                view,
                without_the_lost(&entry["event"]),
                "{}",
                recording.name
            );
        }
    }
}

/// A step that retries without saying when does so at once; ours says when that is.
fn drop_implied(ours: &mut Value, theirs: &Value, at: &Value) {
    if theirs.get("retryAfter").is_none()
        && ours.get("retryAfter") == Some(at)
        && let Some(ours) = ours.as_object_mut()
    {
        ours.remove("retryAfter");
    }
}

/// Every event of every recording, read and shown again.
pub(crate) fn views() -> Vec<Value> {
    let mut views = Vec::new();
    for recording in recordings() {
        let run = recording.run();
        let (mut log, mut view) = (SdkLog::new(run), SdkView::new(run));
        for entry in recording.events() {
            let view = view.show(&push(&mut log, &entry["event"]));
            views.push(serde_json::to_value(view).unwrap());
        }
    }
    assert!(
        views.len() > 190,
        "only {} events were recorded",
        views.len()
    );
    views
}

/// The event without what `rewake_core::sdk` says is lost.
fn without_the_lost(event: &Value) -> Value {
    let mut event = event.clone();
    let kind = event["eventType"].as_str().unwrap().to_owned();
    let lost: &[&str] = match &*kind {
        "run_created" => &["executionContext"],
        "run_failed" => &["errorCode"],
        "step_created" => &["workflowName"],
        "step_started" | "step_completed" => &["stepName", "workflowName"],
        "step_failed" | "step_retrying" => &["stepName", "workflowName", "stack"],
        "hook_received" | "hook_disposed" => &["token"],
        "wait_completed" => &["resumeAt"],
        _ => &[],
    };
    for field in lost {
        event["eventData"].as_object_mut().unwrap().remove(*field);
    }
    if kind == "run_failed" {
        event["eventData"]["error"]
            .as_object_mut()
            .unwrap()
            .remove("stack");
    }
    drop_empty(&mut event);
    event
}

/// Drops what is null in the event's data, and the data where nothing is left.
fn drop_empty(event: &mut Value) {
    let Some(data) = event.get_mut("eventData").and_then(Value::as_object_mut) else {
        return;
    };
    data.retain(|_, value| !value.is_null());
    if data.is_empty() {
        event.as_object_mut().unwrap().remove("eventData");
    }
}

/// Our view of the entity that the package shows as `theirs`.
fn entity_like(entities: &Entities, kind: &str, theirs: &Value) -> Value {
    let run = entities.run().unwrap();
    match kind {
        "run" => run_shown(run),
        "step" => {
            let id = theirs["stepId"].as_str().unwrap().parse().unwrap();
            step_shown(run.id, entities.steps().get(&id).unwrap())
        }
        "hook" => {
            let id = theirs["hookId"].as_str().unwrap().parse().unwrap();
            hook_shown(run.id, entities.hooks().get(&id).unwrap())
        }
        "wait" => {
            let id = theirs["waitId"].as_str().unwrap();
            let id = id.split_once('-').unwrap().1.parse().unwrap();
            wait_shown(run.id, entities.waits().get(&id).unwrap())
        }
        other => panic!("the package shows no {other}"),
    }
}

fn run_shown(run: &Run) -> Value {
    let error = run
        .error
        .as_ref()
        .map(|error| json!({"message": error.message}));
    let begun = run.status != RunStatus::Pending;
    filled([
        ("runId", json!(run.id)),
        ("deploymentId", json!(run.build)),
        ("status", json!(run.status)),
        ("workflowName", json!(run.workflow)),
        ("input", bytes(&run.input)),
        ("output", json!(run.output.as_ref().map(bytes))),
        ("error", json!(error)),
        ("createdAt", time(run.created_at)),
        (
            "startedAt",
            json!(run.started_at.filter(|_| begun).map(time)),
        ),
        ("completedAt", json!(run.ended_at.map(time))),
    ])
}

fn step_shown(run: RunId, step: &Step) -> Value {
    let error = step
        .error
        .as_ref()
        .map(|error| json!({"message": error.message}));
    filled([
        ("runId", json!(run)),
        ("stepId", json!(step.id)),
        ("stepName", json!(step.name)),
        ("status", json!(step.status)),
        ("input", bytes(&step.input)),
        ("output", json!(step.result.as_ref().map(bytes))),
        ("error", json!(error)),
        ("attempt", json!(step.attempt)),
        ("retryAfter", json!(step.retry_at.map(time))),
        ("createdAt", time(step.created_at)),
        ("startedAt", json!(step.started_at.map(time))),
        ("completedAt", json!(step.ended_at.map(time))),
    ])
}

fn hook_shown(run: RunId, hook: &Hook) -> Value {
    filled([
        ("runId", json!(run)),
        ("hookId", json!(hook.id)),
        ("token", json!(hook.token.as_str())),
        ("metadata", json!(hook.metadata.as_ref().map(bytes))),
        ("isWebhook", json!(hook.is_webhook)),
        ("createdAt", time(hook.created_at)),
    ])
}

fn wait_shown(run: RunId, wait: &Wait) -> Value {
    filled([
        ("runId", json!(run)),
        ("waitId", json!(format!("{run}-{}", wait.id))),
        ("status", json!(wait.status)),
        ("resumeAt", time(wait.resume_at)),
        ("createdAt", time(wait.created_at)),
        ("completedAt", json!(wait.ended_at.map(time))),
    ])
}

fn filled<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    let fields: Map<_, _> = fields.map(|(key, value)| (key.to_owned(), value)).collect();
    Value::Object(fields)
}

fn bytes(payload: &Payload) -> Value {
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(payload.as_bytes());
    json!({"__type": "Uint8Array", "data": data})
}

fn time(at: Timestamp) -> Value {
    let ms = i64::try_from(at.as_millis()).unwrap();
    json!(Date::from_ms(ms).unwrap().to_string())
}

/// What the package shows, without what no log says (who owns it, when a view was last written) and
/// what our events do not hold (where an error was thrown).
fn known(theirs: &Value) -> Value {
    let mut theirs = theirs.clone();
    let fields = theirs.as_object_mut().unwrap();
    for field in [
        "specVersion",
        "executionContext",
        "updatedAt",
        "ownerId",
        "projectId",
        "environment",
    ] {
        fields.remove(field);
    }
    if let Some(error) = fields.get_mut("error").and_then(Value::as_object_mut) {
        error.retain(|key, _| key == "message");
    }
    theirs
}

/// In the order of their ids, and without what `known` leaves out.
fn sorted(entities: &[Value]) -> Vec<Value> {
    let mut entities: Vec<_> = entities.iter().map(known).collect();
    entities.sort_by_key(ToString::to_string);
    entities
}
