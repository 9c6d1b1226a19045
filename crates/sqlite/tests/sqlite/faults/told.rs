//! What a life said: what it asked, and what it was told.

use std::collections::BTreeMap;

use rewake_store::core::id::EventId;

use super::ask::Ask;

/// What the caller of a request knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knows {
    /// It was acknowledged, at this position.
    Acknowledged(u64),
    /// It was refused, or the store could not serve it: nothing happened.
    Refused,
    /// It may have happened.
    Unknown,
}

/// Everything that the lives on one disk have said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) asks: BTreeMap<EventId, (Ask, Knows)>,
    /// Sessions that were asked for, and those that had begun.
    pub(crate) begin: u32,
    pub(crate) begun: u32,
    /// How often the store shut itself, and how often it did not open.
    pub(crate) shuts: u32,
    pub(crate) unopened: u32,
    /// That another process had to let go first, upon which a life ends.
    pub(crate) stale: u32,
    /// Requests that were told that nobody knows.
    pub(crate) unknown: u32,
    /// Requests that were told of a disk without room.
    pub(crate) without_room: u32,
    /// The last life ended in order.
    pub(crate) ended: bool,
    /// What was served between an unknown outcome and the next opening.
    pub(crate) served_late: Vec<String>,
    open_outcome: bool,
}

impl Told {
    /// How many requests were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        let knows = self.asks.values().map(|(_, knows)| knows);
        knows
            .filter(|knows| matches!(knows, Knows::Acknowledged(_)))
            .count()
    }

    /// Another life begins.
    pub(crate) fn begins(&mut self) {
        self.ended = false;
        self.open_outcome = false;
    }

    pub(crate) fn note(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "ask" => {
                // The last line of a life may be cut; then it was not asked.
                if let Ok(ask) = rest.parse::<Ask>() {
                    self.asks.entry(ask.id).or_insert((ask, Knows::Unknown));
                }
            }
            "ack" | "refused" | "unknown" | "failed" => self.answer(word, rest, line),
            "begin" => self.begin += 1,
            "begun" => self.begun += 1,
            "shut" => self.shuts += 1,
            "opened" => self.open_outcome = false,
            "unopened" => {
                self.unopened += 1;
                self.stale += u32::from(rest.starts_with("STORE_STALE"));
            }
            "ended" => self.ended = true,
            // Of the test harness.
            _ => {}
        }
    }

    fn answer(&mut self, word: &str, rest: &str, line: &str) {
        let (id, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let Ok(id) = id.parse::<EventId>() else {
            return;
        };
        let knows = match word {
            "ack" => match rest.parse() {
                Ok(position) => Knows::Acknowledged(position),
                Err(_) => return,
            },
            "unknown" => Knows::Unknown,
            _ => Knows::Refused,
        };
        if self.open_outcome && matches!(word, "ack" | "refused") {
            self.served_late.push(line.to_owned());
        }
        if knows == Knows::Unknown {
            self.unknown += 1;
            self.open_outcome = true;
        }
        self.without_room += u32::from(rest.contains("the disk is full"));
        self.asks.get_mut(&id).expect("it was asked").1 = knows;
    }
}
