//! From text to table. The text is JSON three levels deep at most, whatever it encodes, so nothing
//! here recurses with its input; deeper nesting is refused by the visitors that do not expect it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::slot::{SPARSE, Slot};
use super::table::{Entry, Node, Table};

/// Fills an empty table from `text`.
pub(super) fn parse_into<'p>(
    table: &mut Table<'p>,
    text: &'p str,
) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    RootVisitor(table).deserialize(&mut json)?;
    json.end()
}

/// The whole text: the list of nodes, or the number of a constant.
struct RootVisitor<'t, 'p>(&'t mut Table<'p>);

impl<'p> DeserializeSeed<'p> for RootVisitor<'_, 'p> {
    type Value = ();

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'p> Visitor<'p> for RootVisitor<'_, 'p> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values or a negative number")
    }

    fn visit_i64<E: Error>(self, code: i64) -> Result<(), E> {
        self.0.root = slot(code)?;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'p>>(self, mut values: A) -> Result<(), A::Error> {
        while let Some(node) = values.next_element_seed(NodeVisitor(self.0))? {
            self.0.nodes.push(node);
        }
        Ok(())
    }
}

/// One node. What it holds goes to the lists of the table.
struct NodeVisitor<'t, 'p>(&'t mut Table<'p>);

impl<'p> DeserializeSeed<'p> for NodeVisitor<'_, 'p> {
    type Value = Node<'p>;

    fn deserialize<D: Deserializer<'p>>(self, deserializer: D) -> Result<Node<'p>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'p> Visitor<'p> for NodeVisitor<'_, 'p> {
    type Value = Node<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that holds indices only")
    }

    fn visit_unit<E>(self) -> Result<Node<'p>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'p>, E> {
        Ok(Node::Bool(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers are floats in JavaScript"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Node<'p>, E> {
        Ok(Node::Number(value as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers are floats in JavaScript"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Node<'p>, E> {
        Ok(Node::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'p>, E> {
        Ok(Node::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'p>, E> {
        Ok(Node::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'p str) -> Result<Node<'p>, E> {
        Ok(Node::Text(Cow::Borrowed(value)))
    }

    fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Node<'p>, A::Error> {
        let start = self.0.entries.len();
        while let Some((Text(key), code)) = map.next_entry::<Text<'p>, i64>()? {
            self.0.entries.push(Entry {
                key,
                value: slot(code)?,
            });
        }
        Ok(Node::Object(start..self.0.entries.len()))
    }

    fn visit_seq<A: SeqAccess<'p>>(self, mut cells: A) -> Result<Node<'p>, A::Error> {
        match cells.next_element::<Cell<'p>>()? {
            Some(Cell::Text(name)) if name == "null" => self.null_prototype(cells),
            Some(Cell::Text(name)) => custom(name, cells),
            Some(Cell::Code(SPARSE)) => self.sparse(cells),
            Some(Cell::Code(code)) => {
                let start = self.0.slots.len();
                self.0.slots.push(slot(code)?);
                while let Some(code) = cells.next_element()? {
                    self.0.slots.push(slot(code)?);
                }
                Ok(Node::Array(start..self.0.slots.len()))
            }
            None => Ok(Node::Array(0..0)),
        }
    }
}

impl<'p> NodeVisitor<'_, 'p> {
    fn null_prototype<A: SeqAccess<'p>>(self, mut cells: A) -> Result<Node<'p>, A::Error> {
        let start = self.0.entries.len();
        while let Some(Text(key)) = cells.next_element()? {
            let value = slot(required(&mut cells)?)?;
            self.0.entries.push(Entry { key, value });
        }
        Ok(Node::Object(start..self.0.entries.len()))
    }

    fn sparse<A: SeqAccess<'p>>(self, mut cells: A) -> Result<Node<'p>, A::Error> {
        let length = required(&mut cells)?;
        let start = self.0.islands.len();
        let mut least = 0;
        while let Some(index) = cells.next_element::<u64>()? {
            if index < least || index >= length {
                return Err(A::Error::custom(
                    "the indices of a sparse array are out of order",
                ));
            }
            least = index + 1;
            let value = slot(required(&mut cells)?)?;
            self.0.islands.push((index, value));
        }
        Ok(Node::Sparse {
            length,
            islands: start..self.0.islands.len(),
        })
    }
}

fn custom<'p, A: SeqAccess<'p>>(name: Cow<'p, str>, mut cells: A) -> Result<Node<'p>, A::Error> {
    let inner = slot(required(&mut cells)?)?;
    match cells.next_element::<i64>()? {
        None => Ok(Node::Custom { name, inner }),
        Some(_) => Err(A::Error::custom(format_args!(
            "`{name}` holds more than one value"
        ))),
    }
}

fn required<'p, T: Deserialize<'p>, A: SeqAccess<'p>>(cells: &mut A) -> Result<T, A::Error> {
    cells
        .next_element()?
        .ok_or_else(|| A::Error::custom("a value ends too early"))
}

fn slot<E: Error>(code: i64) -> Result<Slot, E> {
    Slot::from_code(code).ok_or_else(|| E::custom(format_args!("{code} is no index")))
}

/// A string that is borrowed from the text where it has no escapes.
struct Text<'p>(Cow<'p, str>);

impl<'p> Deserialize<'p> for Text<'p> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(CellVisitor)? {
            Cell::Text(text) => Ok(Self(text)),
            Cell::Code(_) => Err(D::Error::custom("a key is no string")),
        }
    }
}

/// What an array may hold: a number, or in some places a string.
enum Cell<'p> {
    Code(i64),
    Text(Cow<'p, str>),
}

impl<'p> Deserialize<'p> for Cell<'p> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'p> Visitor<'p> for CellVisitor {
    type Value = Cell<'p>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an index or the name of a type")
    }

    fn visit_i64<E>(self, code: i64) -> Result<Cell<'p>, E> {
        Ok(Cell::Code(code))
    }

    fn visit_u64<E: Error>(self, code: u64) -> Result<Cell<'p>, E> {
        i64::try_from(code).map(Cell::Code).map_err(E::custom)
    }

    fn visit_str<E>(self, value: &str) -> Result<Cell<'p>, E> {
        Ok(Cell::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_borrowed_str<E>(self, value: &'p str) -> Result<Cell<'p>, E> {
        Ok(Cell::Text(Cow::Borrowed(value)))
    }
}
