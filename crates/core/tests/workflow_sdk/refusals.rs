//! What the reader refuses, and what it folds though our own logs never hold it.

use rewake_core::entity::RunStatus;
use rewake_core::sdk::{ReadError, SdkEvent, SdkLog};
use serde_json::{Value, json};

const RUN: &str = "wrun_01K9Z0000000000000000000AA";
const STEP: &str = "step_01KA5TV500NRS9G15ZNH4JNTDJ";
const HOOK: &str = "hook_01KA5TV500NRS9G15ZNH4JNTDK";
const WAIT: &str = "wait_01KA5TV500NRS9G15ZNH4JNTDM";

fn event(kind: &str, correlation: Option<&str>, data: &Value) -> SdkEvent {
    let mut event = json!({
        "eventType": kind,
        "runId": RUN,
        "eventId": "evnt_01KA5TV500NRS9G15ZNH4JNTDN",
        "createdAt": "2025-11-16T08:00:00.000Z",
        "eventData": data,
    });
    if let Some(id) = correlation {
        event["correlationId"] = json!(id);
    }
    SdkEvent::from_json(&event.to_string()).unwrap()
}

fn bytes() -> Value {
    json!({"__type": "Uint8Array", "data": "ZGV2bFtbXV0="})
}

/// A run that has begun.
fn begun() -> SdkLog {
    let mut log = SdkLog::new(RUN.parse().unwrap());
    let created = json!({"deploymentId": "d", "workflowName": "w", "input": bytes()});
    log.push(&event("run_created", None, &created)).unwrap();
    log.push(&event("run_started", None, &Value::Null)).unwrap();
    log
}

/// A run with a live hook and a pending wait that has ended.
fn ended() -> SdkLog {
    let mut log = begun();
    let hook = json!({"token": "t", "isWebhook": false});
    log.push(&event("hook_created", Some(HOOK), &hook)).unwrap();
    let wait = json!({"resumeAt": "2025-11-16T09:00:00.000Z"});
    log.push(&event("wait_created", Some(WAIT), &wait)).unwrap();
    let error = json!({"error": {"message": "bad", "stack": "s"}});
    log.push(&event("run_failed", None, &error)).unwrap();
    log
}

fn refusal(mut log: SdkLog, event: &SdkEvent) -> ReadError {
    let before = log.entities().clone();
    let error = log.push(event).unwrap_err();
    assert_eq!(log.entities(), &before);
    assert!(log.irregular().is_empty());
    error
}

#[test]
fn a_kind_that_is_not_known_is_refused_by_name() {
    let error = refusal(begun(), &event("attr_set", None, &json!({})));
    assert_eq!(error.code(), "SDK_EVENT_UNKNOWN");
    assert!(error.to_string().contains("`attr_set`"), "{error}");
}

#[test]
fn a_field_that_is_missing_is_named() {
    for (kind, id, data, field) in [
        ("step_created", STEP, json!({"stepName": "s"}), "`input`"),
        (
            "step_created",
            STEP,
            json!({"input": bytes()}),
            "`stepName`",
        ),
        ("step_failed", STEP, json!({}), "`error`"),
        ("hook_created", HOOK, json!({}), "`token`"),
        ("hook_received", HOOK, json!({}), "`payload`"),
        (
            "hook_conflict",
            HOOK,
            json!({"token": "t"}),
            "`conflictingRunId`",
        ),
        ("wait_created", WAIT, Value::Null, "`resumeAt`"),
    ] {
        let error = refusal(begun(), &event(kind, Some(id), &data));
        assert_eq!(error.code(), "SDK_EVENT_FIELD_MISSING");
        assert!(error.to_string().contains(field), "{error}");
    }
    let error = refusal(begun(), &event("wait_completed", None, &Value::Null));
    assert!(error.to_string().contains("`correlationId`"), "{error}");
}

#[test]
fn an_id_of_another_kind_is_refused() {
    let error = refusal(begun(), &event("step_started", Some(HOOK), &Value::Null));
    assert_eq!(error.code(), "SDK_EVENT_ID");
}

#[test]
fn a_token_that_no_hook_here_can_have_is_refused() {
    for token in ["", "a\nb"] {
        let error = refusal(
            begun(),
            &event("hook_created", Some(HOOK), &json!({"token": token})),
        );
        assert_eq!(error.code(), "SDK_EVENT_TOKEN");
    }
}

#[test]
fn an_event_of_another_run_is_refused() {
    let log = SdkLog::new("wrun_01K9Z0000000000000000000AB".parse().unwrap());
    let error = refusal(log, &event("run_started", None, &Value::Null));
    assert_eq!(error.code(), "SDK_EVENT_OTHER_RUN");
}

#[test]
fn orphans_are_refused() {
    let step = event("step_started", Some(STEP), &Value::Null);
    assert_eq!(refusal(begun(), &step).code(), "STEP_MISSING");
    let empty = SdkLog::new(RUN.parse().unwrap());
    let cancelled = event("run_cancelled", None, &Value::Null);
    assert_eq!(refusal(empty, &cancelled).code(), "RUN_MISSING");
}

#[test]
fn a_text_that_is_no_event_is_refused() {
    for text in ["", "[]", r#"{"eventType": "run_started"}"#] {
        let error = SdkEvent::from_json(text).unwrap_err();
        assert_eq!(error.code(), "SDK_EVENT_SHAPE");
    }
}

#[test]
fn ids_of_events_may_be_those_of_the_postgres_world() {
    let text = json!({
        "eventType": "run_created",
        "runId": RUN,
        "eventId": "wevt_01KA5TV500NRS9G15ZNH4JNTDN",
        "createdAt": "2025-11-16T08:00:00.000Z",
        "eventData": {"deploymentId": "d", "workflowName": "w", "input": bytes()},
    });
    let mut log = SdkLog::new(RUN.parse().unwrap());
    let event = log
        .push(&SdkEvent::from_json(&text.to_string()).unwrap())
        .unwrap();
    assert_eq!(event.id.as_str(), "evnt_01KA5TV500NRS9G15ZNH4JNTDN");
}

/// Seen when a hook was resumed just as its run failed.
#[test]
fn what_reaches_a_hook_or_a_wait_after_the_end_of_its_run_changes_nothing() {
    for late in [
        event("hook_received", Some(HOOK), &json!({"payload": bytes()})),
        event("hook_disposed", Some(HOOK), &Value::Null),
        event("wait_completed", Some(WAIT), &Value::Null),
    ] {
        let mut log = ended();
        let before = log.entities().clone();
        log.push(&late).unwrap();
        assert_eq!(log.entities(), &before);
        assert_eq!(log.irregular().len(), 1);
    }
}

#[test]
fn of_two_ends_the_later_one_stands() {
    let mut log = ended();
    let output = json!({"output": bytes()});
    log.push(&event("run_completed", None, &output)).unwrap();
    let run = log.entities().run().unwrap();
    assert_eq!(run.status, RunStatus::Completed);
    assert!(run.output.is_some() && run.error.is_none());
}

#[test]
fn nothing_begins_after_the_end() {
    let wait = json!({"resumeAt": "2025-11-16T09:00:00.000Z"});
    let other = "wait_01KA5TV500NRS9G15ZNH4JNTDP";
    let mut log = ended();
    log.push(&event("wait_created", Some(other), &wait))
        .unwrap();
    assert_eq!(log.entities().waits().len(), 1);
    let started = event("run_started", None, &Value::Null);
    assert_eq!(log.push(&started).unwrap_err().code(), "RUN_ENDED");
}
