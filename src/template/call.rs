//! Which arguments fit which parameters.

use super::format::type_name;
use super::function::Parameter;
use super::node::{Operand, string_text};
use super::value::{List, ListKind, Map, Value};

impl Parameter {
    /// Returns the name of its Go type.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::String => "string",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Float => "float64",
            Self::Bool => "bool",
            Self::Map => "map[string]interface {}",
            Self::List => "[]interface {}",
            Self::Strings => "[]string",
            Self::Reflect => "reflect.Value",
            Self::Named(name) => name,
        }
    }

    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any | Self::Reflect, _)
            | (Self::String, Value::String(_))
            | (Self::Int, Value::Int(_))
            | (Self::Int64, Value::Int64(_))
            | (Self::Float, Value::Float(_))
            | (Self::Bool, Value::Bool(_)) => true,
            (Self::Map, Value::Map(map)) => !map.kind().is_string(),
            (Self::List, Value::List(list)) => list.kind == ListKind::Any,
            (Self::Strings, Value::List(list)) => list.kind == ListKind::String,
            (Self::Named(name), Value::Structure(structure)) => structure.type_name() == name,
            _ => false,
        }
    }

    /// Returns its nil; `None` if its type has no nil.
    fn nil(self) -> Option<Value> {
        Some(match self {
            Self::Any | Self::Map => Value::Nil,
            Self::Reflect => Value::Invalid,
            Self::List => Value::List(List::nil(ListKind::Any)),
            Self::Strings => Value::List(List::nil(ListKind::String)),
            _ => return None,
        })
    }

    /// Returns a value as the parameter takes it, or says why it does not.
    pub(super) fn fit(self, value: Value) -> Result<Value, String> {
        match value {
            Value::Invalid => self.nil().ok_or_else(|| format!("invalid value; expected {}", self.type_name())),
            value if self.takes(&value) => Ok(value),
            value => {
                let name = match value {
                    Value::Nil => "interface {}".into(),
                    _ => type_name(&value),
                };
                Err(format!("wrong type for value; expected {}; got {name}", self.type_name()))
            }
        }
    }

    /// Returns a literal as the parameter takes it, or says why it does not.
    pub(super) fn fit_literal(self, literal: &Operand) -> Result<Value, String> {
        let found = match (self, literal) {
            (_, Operand::Nil { .. }) => {
                return self.nil().ok_or_else(|| format!("cannot assign nil to {}", self.type_name()));
            }
            (Self::Any | Self::Reflect, _) => return constant(literal),
            (Self::String, Operand::String { .. }) | (Self::Bool, Operand::Bool { .. }) => {
                return constant(literal);
            }
            (Self::Int, Operand::Number { literal, .. }) => literal.1.int.map(Value::Int),
            (Self::Int64, Operand::Number { literal, .. }) => literal.1.int.map(Value::Int64),
            (Self::Float, Operand::Number { literal, .. }) => literal.1.float.map(Value::Float),
            _ => None,
        };
        let wanted = match self {
            Self::String => "string",
            Self::Int | Self::Int64 => "integer",
            Self::Float => "float",
            Self::Bool => "bool",
            _ => {
                return found.ok_or_else(|| format!("can't handle {literal} for arg of type {}", self.type_name()));
            }
        };
        found.ok_or_else(|| format!("expected {wanted}; found {literal}"))
    }
}

/// Returns the value of a literal where nothing says which type it has to be.
pub(super) fn constant(literal: &Operand) -> Result<Value, String> {
    Ok(match literal {
        Operand::Bool { value, .. } => Value::Bool(*value),
        Operand::String { quoted, text, .. } => Value::String(string_text(quoted, text).into()),
        Operand::Number { literal, .. } => match (literal.1.int, literal.1.float) {
            (_, Some(float)) if literal.1.is_float => Value::Float(float),
            (Some(int), _) => Value::Int(int),
            _ => return Err(format!("{} overflows int", literal.0)),
        },
        _ => return Err(format!("can't evaluate command {literal}")),
    })
}

/// Returns what a map holds for a key that is not there.
pub(super) fn zero(map: &Map) -> Value {
    if map.kind().is_string() { "".into() } else { Value::Nil }
}

/// Tells whether what a map holds has the type `interface {}`.
pub(super) fn holds_any(map: &Map) -> bool {
    !map.kind().is_string()
}
