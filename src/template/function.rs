//! Functions that templates call: their parameter types, and what they may ask of the run.

use super::value::{Str, Value};

/// A parameter's Go type. Literals and arguments are converted or refused by it before the function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// `interface {}`
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `float64`
    Float,
    /// `bool`
    Bool,
    /// `map[string]interface {}`; an argument that is nothing is nil.
    Map,
    /// `[]interface {}`
    List,
    /// `[]string`
    Strings,
    /// `reflect.Value`: takes anything, and tells no value from nil.
    Reflect,
    /// A struct or named type of this Go name, e.g. `time.Time`.
    Named(&'static str),
}

/// A function that templates can call.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name in templates.
    pub name: &'static str,
    /// The types of its parameters; of the last one, repeated, if it is variadic.
    pub parameters: &'static [Parameter],
    /// Whether the last parameter takes any number of arguments.
    pub is_variadic: bool,
    /// What it does. The arguments fit the parameters. The error is what Go's function would return as its error.
    pub run: fn(&mut dyn Host, &[Value]) -> Result<Value, String>,
}

/// What a function may ask of the run that calls it.
pub trait Host {
    /// Runs a named template on some data and returns its output (`include`).
    fn include(&mut self, name: &str, data: &Value) -> Result<Str, String>;
    /// Parses a text as a template and runs it on some data (`tpl`).
    fn evaluate(&mut self, text: &Str, data: &Value) -> Result<Str, String>;
    /// Counts work against the budget of the run, in bytes or steps; an error ends the run.
    fn spend(&mut self, amount: usize) -> Result<(), String>;
    /// Returns what the owner of the run gave it: random numbers, clock, warnings.
    fn state(&mut self) -> &mut dyn std::any::Any;
}
