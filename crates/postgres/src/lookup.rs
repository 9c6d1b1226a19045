//! What is to be looked up for a request: all that can be told from the request itself is looked up
//! together, and what turns out to be missing while it is judged is looked up then.

use std::collections::BTreeSet;

use rewake_store::core::event::{EventKind, Position};
use rewake_store::core::id::RunId;
use rewake_store::core::token::Token;
use rewake_store::{Admit, Answer, Append, Condition, Create, Deliver, DeliveryKey, Post, ScopeId};

use crate::name::Name;

/// So many rows of what may be forgotten or swept are looked up along with a request.
const ALONG: usize = 16;

/// One thing to look up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lookup {
    /// A run that is to be changed: its row is locked.
    Held(RunId),
    /// The run whose hook holds a token, locked too.
    Holder(ScopeId, Token),
    /// A run that is only looked at.
    Run(RunId),
    /// The parent of a run, only looked at.
    ParentOf(RunId),
    /// The frames of a run after a position.
    Frames(RunId, Position),
    Token(ScopeId, Token),
    Key(ScopeId, Token, String),
    /// The keys of a token after a key, so many.
    Keys(ScopeId, Token, Option<String>, usize),
    /// What is to be forgotten, so many rows.
    Forgets(ScopeId, usize),
    StartKey(ScopeId, String),
    /// What a child (the second run) owes to its parent.
    Owed(ScopeId, RunId, RunId),
    /// The first chunk of a stream.
    Chunk(RunId, String),
    /// What the mailbox keeps for a token.
    Mail(ScopeId, Token),
    /// How much the mailbox holds.
    MailSize(ScopeId),
    /// How much the mailbox holds for a token.
    MailSizeOfToken(ScopeId, Token),
    /// The places of what is kept no longer, so many.
    ExpiredMail(ScopeId, usize),
}

/// What is to be looked up.
pub(crate) type Plan = BTreeSet<Lookup>;

impl Lookup {
    /// The name of the lock under which this is looked up, so that what is found stands until the
    /// commit, and also what is not found. Runs are locked by their rows.
    ///
    /// A transaction takes these locks in order of the names, and then those of runs in order of
    /// their ids; so no two wait for each other.
    pub(crate) fn lock(&self, schema: &str) -> Option<i64> {
        let lock = match self {
            Self::Holder(scope, token)
            | Self::Token(scope, token)
            | Self::Mail(scope, token)
            | Self::MailSizeOfToken(scope, token) => Name::of(schema, "token")
                .in_scope(*scope)
                .and(token.as_str()),
            Self::StartKey(scope, key) => Name::of(schema, "start key").in_scope(*scope).and(key),
            Self::MailSize(scope) => Name::of(schema, "mailbox").in_scope(*scope),
            // A token's keys are changed under the token's lock, but for those that are forgotten.
            Self::Key(..)
            | Self::Keys(..)
            | Self::Forgets(..)
            | Self::ExpiredMail(..)
            | Self::Held(_)
            | Self::Run(_)
            | Self::ParentOf(_)
            | Self::Frames(..)
            | Self::Owed(..)
            | Self::Chunk(..) => return None,
        };
        Some(lock.number())
    }
}

/// What can be told from a request alone.
pub(crate) trait Names {
    fn names(&self) -> Plan;
}

impl Names for Create {
    fn names(&self) -> Plan {
        let mut plan = Plan::from([Lookup::Run(self.run)]);
        registered(&mut plan, self.scope, &self.events);
        if let Some(key) = &self.key {
            plan.insert(Lookup::StartKey(self.scope, key.key.clone()));
        }
        plan
    }
}

impl Names for Append {
    fn names(&self) -> Plan {
        let (scope, run) = (self.scope, self.run);
        let mut plan = Plan::from([Lookup::Held(run)]);
        registered(&mut plan, scope, &self.events);
        plan.extend(
            self.release
                .iter()
                .map(|token| Lookup::Token(scope, token.clone())),
        );
        plan.extend(self.since.map(|since| Lookup::Frames(run, since)));
        if self.repeat {
            plan.insert(Lookup::Frames(run, Position::START));
        }
        for condition in &self.conditions {
            match condition {
                Condition::HookLive { token, .. } => {
                    plan.insert(Lookup::Token(scope, token.clone()));
                }
                Condition::StepOpen(_) => {
                    plan.insert(Lookup::Frames(run, Position::START));
                }
                Condition::WaitOpen { since, .. } => {
                    plan.insert(Lookup::Frames(run, *since));
                }
                Condition::WorkerPosition(_) | Condition::RunLive | Condition::HooksAtMost(_) => {}
            }
        }
        plan.extend(self.kin.begin.iter().map(|child| Lookup::Run(child.run)));
        let settled = self.kin.settled.iter();
        plan.extend(settled.map(|child| Lookup::Owed(scope, run, *child)));
        let answers = self.answers.iter();
        plan.extend(answers.map(|answer| Lookup::Chunk(run, answer.stream.clone())));
        if self.events.iter().any(EventKind::is_terminal) {
            plan.insert(Lookup::ParentOf(run));
        }
        plan
    }
}

impl Names for Deliver {
    fn names(&self) -> Plan {
        let mut plan = Plan::new();
        delivered(&mut plan, self.scope, &self.token, self.key.as_ref());
        plan
    }
}

impl Names for Admit {
    fn names(&self) -> Plan {
        let mut plan = Plan::from([
            Lookup::Run(self.fallback.run),
            Lookup::Mail(self.scope, self.token.clone()),
        ]);
        delivered(&mut plan, self.scope, &self.token, self.key.as_ref());
        plan
    }
}

impl Names for Post {
    fn names(&self) -> Plan {
        let mut plan = Plan::from([
            Lookup::MailSize(self.scope),
            Lookup::MailSizeOfToken(self.scope, self.token.clone()),
            Lookup::ExpiredMail(self.scope, ALONG),
        ]);
        delivered(&mut plan, self.scope, &self.token, self.key.as_ref());
        plan
    }
}

impl Names for Answer {
    fn names(&self) -> Plan {
        Plan::from([
            Lookup::Held(self.run),
            Lookup::Chunk(self.run, self.stream.clone()),
        ])
    }
}

/// What a sweep looks at.
pub(crate) fn of_sweep(scope: ScopeId, limit: usize) -> Plan {
    Plan::from([
        Lookup::ExpiredMail(scope, limit),
        Lookup::Forgets(scope, limit),
    ])
}

/// What hooks that events register need.
fn registered(plan: &mut Plan, scope: ScopeId, events: &[EventKind]) {
    for kind in events {
        if let EventKind::HookCreated { token, chosen, .. } = kind {
            plan.insert(Lookup::Token(scope, token.clone()));
            if *chosen {
                plan.insert(Lookup::Mail(scope, token.clone()));
            }
        }
    }
}

/// What a payload on its way to a live hook needs.
fn delivered(plan: &mut Plan, scope: ScopeId, token: &Token, key: Option<&DeliveryKey>) {
    plan.insert(Lookup::Holder(scope, token.clone()));
    plan.insert(Lookup::Token(scope, token.clone()));
    if let Some(key) = key {
        let first = DeliveryKey::FIRST.to_owned();
        plan.insert(Lookup::Key(scope, token.clone(), key.key.clone()));
        plan.insert(Lookup::Key(scope, token.clone(), first));
        plan.insert(Lookup::Forgets(scope, ALONG));
    }
}
