//! Go's text/template: lexer, parser, values and execution.

mod function;
mod value;

pub use function::{Function, Host, Parameter};
pub use value::{List, ListKind, Map, MapKind, Str, Structure, Value};
