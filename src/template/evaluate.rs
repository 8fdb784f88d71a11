//! Evaluates commands, fields and calls.

use super::builtins::is_true;
use super::call::{constant, holds_any, zero};
use super::execute::{At, Dot, Executor, Fallible, Frame, Got};
use super::format::type_name;
use super::function::{Function, Parameter};
use super::node::{Command, Operand};
use super::value::{MapKind, Value};

/// The arguments that nodes give to what stands before them, and the value that a pipeline adds.
struct Arguments<'t> {
    nodes: &'t [Operand],
    last: Option<Value>,
}

impl Arguments<'_> {
    const NONE: Arguments<'static> = Arguments { nodes: &[], last: None };

    fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.last.is_none()
    }
}

fn plain(value: Value) -> Got {
    Got { value, is_boxed: false }
}

impl Executor<'_> {
    /// Evaluates a command of a pipeline; `last` is what the command before it gave.
    pub(super) fn command<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        command: &'t Command,
        last: Option<Value>,
    ) -> Fallible<Value> {
        let first = &command.args[0];
        let arguments = Arguments { nodes: &command.args[1..], last };
        match first {
            Operand::Field { names, .. } => {
                frame.at = At::Operand(first);
                let got = self.fields(frame, dot, dot, first, names, arguments)?;
                return Ok(got.value);
            }
            Operand::Chain { of, names, .. } => {
                return Ok(self.chain(frame, dot, first, of, names, arguments)?.value);
            }
            Operand::Variable { name, names, .. } => {
                return Ok(self.variable(frame, dot, first, name, names, arguments)?.value);
            }
            Operand::Identifier { name, .. } => {
                frame.at = At::Operand(first);
                return self.call(frame, dot, At::Command(command), name, arguments);
            }
            Operand::Pipe(pipe) => {
                refuse_arguments(frame, first, &arguments)?;
                return self.pipeline(frame, dot, pipe);
            }
            _ => {}
        }
        frame.at = At::Operand(first);
        refuse_arguments(frame, first, &arguments)?;
        match first {
            Operand::Dot { .. } => Ok(dot.value.clone()),
            Operand::Nil { .. } => Err(frame.error("nil is not a command")),
            _ => constant(first).map_err(|message| frame.error(message)),
        }
    }

    fn variable<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        node: &'t Operand,
        name: &str,
        names: &'t [Box<str>],
        arguments: Arguments<'t>,
    ) -> Fallible<Got> {
        frame.at = At::Operand(node);
        let held = frame.variable(name)?;
        let got = Got { value: held.value.clone(), is_boxed: held.is_boxed };
        if names.is_empty() {
            refuse_arguments(frame, node, &arguments)?;
            return Ok(got);
        }
        self.fields(frame, dot, Dot { value: &got.value, is_boxed: got.is_boxed }, node, names, arguments)
    }

    fn chain<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        node: &'t Operand,
        of: &'t Operand,
        names: &'t [Box<str>],
        arguments: Arguments<'t>,
    ) -> Fallible<Got> {
        frame.at = At::Operand(of);
        let value = match of {
            Operand::Pipe(pipe) => self.pipeline(frame, dot, pipe)?,
            Operand::Identifier { name, .. } => self.call(frame, dot, At::Operand(of), name, Arguments::NONE)?,
            _ => self.operand(frame, dot, of)?.value,
        };
        self.fields(frame, dot, Dot { value: &value, is_boxed: false }, node, names, arguments)
    }

    /// Evaluates a chain of fields. If the last one is a method, it gets the arguments.
    fn fields<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        receiver: Dot<'_>,
        node: &'t Operand,
        names: &'t [Box<str>],
        arguments: Arguments<'t>,
    ) -> Fallible<Got> {
        let Some((last, before)) = names.split_last() else {
            return Ok(Got { value: receiver.value.clone(), is_boxed: receiver.is_boxed });
        };
        let Some((first, middle)) = before.split_first() else {
            return self.field(frame, dot, receiver, node, last, arguments);
        };
        let mut got = self.field(frame, dot, receiver, node, first, Arguments::NONE)?;
        for name in middle {
            let receiver = Dot { value: &got.value, is_boxed: got.is_boxed };
            got = self.field(frame, dot, receiver, node, name, Arguments::NONE)?;
        }
        self.field(frame, dot, Dot { value: &got.value, is_boxed: got.is_boxed }, node, last, arguments)
    }

    fn field<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        receiver: Dot<'_>,
        node: &'t Operand,
        name: &str,
        arguments: Arguments<'t>,
    ) -> Fallible<Got> {
        match receiver.value {
            Value::Invalid => return Ok(plain(Value::Invalid)),
            Value::Nil => return Err(frame.error(format!("nil pointer evaluating interface {{}}.{name}"))),
            // The one method of Helm's type of `.Values` that charts call.
            Value::Map(map) if map.kind().is_values() && name == "AsMap" => {
                return Ok(plain(map.converted(MapKind::Any).into()));
            }
            Value::Map(map) => {
                if !arguments.is_empty() {
                    return Err(frame.error(format!("{name} is not a method but has arguments")));
                }
                let value = map.value(name.as_bytes()).unwrap_or_else(|| zero(map));
                return Ok(Got { value, is_boxed: holds_any(map) });
            }
            Value::Structure(structure) => {
                let has_arguments = !arguments.is_empty();
                let values = self.values(frame, dot, Parameter::Any, arguments)?;
                if let Some(result) = structure.call(name, &values) {
                    let result = result.map_err(|message| {
                        frame.at = At::Operand(node);
                        self.call_error(frame, name, message)
                    });
                    let value = result?;
                    self.step(frame, weight(&value))?;
                    return Ok(plain(value));
                }
                let is_map = structure.kind() == "map";
                let field = structure.field(name);
                if has_arguments && (field.is_some() || is_map) {
                    let how = if is_map {
                        "is not a method but has arguments"
                    } else {
                        "has arguments but cannot be invoked as function"
                    };
                    return Err(frame.error(format!("{name} {how}")));
                }
                if let Some(value) = field {
                    return Ok(Got { value, is_boxed: is_map });
                }
                if is_map {
                    return Ok(Got { value: Value::Nil, is_boxed: true });
                }
            }
            _ => {}
        }
        let of = if receiver.is_boxed { "interface {}".into() } else { type_name(receiver.value) };
        Err(frame.error(format!("can't evaluate field {name} in type {of}")))
    }

    /// Evaluates the arguments of a method, which all have one type.
    fn values<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        parameter: Parameter,
        arguments: Arguments<'t>,
    ) -> Fallible<Vec<Value>> {
        let mut values = Vec::with_capacity(arguments.nodes.len());
        for node in arguments.nodes {
            values.push(self.argument(frame, dot, parameter, node)?);
        }
        values.extend(arguments.last);
        Ok(values)
    }

    /// Evaluates an operand that is no literal.
    fn operand<'t>(&mut self, frame: &mut Frame<'t>, dot: Dot<'_>, node: &'t Operand) -> Fallible<Got> {
        match node {
            Operand::Field { names, .. } => self.fields(frame, dot, dot, node, names, Arguments::NONE),
            Operand::Variable { name, names, .. } => self.variable(frame, dot, node, name, names, Arguments::NONE),
            Operand::Pipe(pipe) => self.pipeline(frame, dot, pipe).map(plain),
            Operand::Identifier { name, .. } => {
                self.call(frame, dot, At::Operand(node), name, Arguments::NONE).map(plain)
            }
            Operand::Chain { of, names, .. } => self.chain(frame, dot, node, of, names, Arguments::NONE),
            _ => Ok(Got { value: dot.value.clone(), is_boxed: dot.is_boxed }),
        }
    }

    /// Evaluates an argument for a parameter.
    fn argument<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        parameter: Parameter,
        node: &'t Operand,
    ) -> Fallible<Value> {
        frame.at = At::Operand(node);
        let result = match node {
            Operand::Bool { .. } | Operand::Number { .. } | Operand::String { .. } | Operand::Nil { .. } => {
                parameter.fit_literal(node)
            }
            _ => parameter.fit(self.operand(frame, dot, node)?.value),
        };
        result.map_err(|message| frame.error(message))
    }

    /// Calls a function; `node` is what errors show.
    fn call<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        node: At<'t>,
        name: &str,
        arguments: Arguments<'t>,
    ) -> Fallible<Value> {
        let Some(function) = self.function(name) else {
            return Err(frame.error(format!("{} is not a defined function", super::format::quote_text(name))));
        };
        check_count(frame, &function, &arguments)?;
        if matches!(name, "and" | "or") {
            return self.logic(frame, dot, name == "or", arguments);
        }
        let fixed = function.parameters.len() - usize::from(function.is_variadic);
        let rest = function.parameters.last().copied().unwrap_or(Parameter::Any);
        let parameter = |index: usize| if index < fixed { function.parameters[index] } else { rest };
        let callee = arguments.nodes.first();
        let mut values = Vec::with_capacity(arguments.nodes.len() + 1);
        for (index, argument) in arguments.nodes.iter().enumerate() {
            values.push(self.argument(frame, dot, parameter(index), argument)?);
        }
        if let Some(last) = arguments.last {
            let value = parameter(values.len()).fit(last).map_err(|message| frame.error(message))?;
            values.push(value);
        }
        (function.run)(self, &values).map_err(|mut message| {
            frame.at = node;
            if name == "call" && !values[0].is_nil() {
                let callee = callee.map_or_else(|| format!("<{} Value>", type_name(&values[0])), ToString::to_string);
                message = message.replacen("non-function", &format!("non-function {callee}"), 1);
            }
            self.call_error(frame, name, message)
        })
    }

    /// Runs `and` or `or`, which evaluate no more arguments than they need.
    fn logic<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: Dot<'_>,
        is_or: bool,
        arguments: Arguments<'t>,
    ) -> Fallible<Value> {
        let mut value = Value::Invalid;
        for argument in arguments.nodes {
            value = self.argument(frame, dot, Parameter::Reflect, argument)?;
            if is_true(&value) == is_or {
                return Ok(value);
            }
        }
        Ok(arguments.last.unwrap_or(value))
    }
}

fn refuse_arguments(frame: &Frame<'_>, node: &Operand, arguments: &Arguments<'_>) -> Fallible<()> {
    if arguments.is_empty() {
        return Ok(());
    }
    Err(frame.error(format!("can't give argument to non-function {node}")))
}

fn check_count(frame: &Frame<'_>, function: &Function, arguments: &Arguments<'_>) -> Fallible<()> {
    let given = arguments.nodes.len() + usize::from(arguments.last.is_some());
    let wanted = function.parameters.len();
    let (name, shown) = (function.name, arguments.nodes.len());
    if function.is_variadic && given < wanted - 1 {
        return Err(frame.error(format!("wrong number of args for {name}: want at least {} got {shown}", wanted - 1)));
    }
    if !function.is_variadic && given != wanted {
        return Err(frame.error(format!("wrong number of args for {name}: want {wanted} got {given}")));
    }
    Ok(())
}

/// Returns what a value that a method made counts against the budget.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::List(list) => list.items.len().saturating_mul(16),
        _ => 1,
    }
}
