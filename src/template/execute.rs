//! Runs templates.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::builtins::{self, is_true};
use super::format::{cost, write_value};
use super::function::{Function, Host};
use super::node::{Branch, Call, Command, Node, Operand, Pipe, Template};
use super::set::{Templates, parse_text};
use super::value::{Str, Value};
use super::{Budget, Error};

/// The name of the set in messages, as Helm calls it.
const ROOT: &str = "gotpl";

/// How often `include` may be inside of itself with one name.
const DEEPEST_INCLUDE: usize = 1000;

/// How often `tpl` may be inside of itself.
const DEEPEST_EVALUATION: usize = 1000;

/// How often the budget is asked between two looks at the clock.
const BETWEEN_CLOCKS: u32 = 1 << 12;

/// Work that is so much at once that the clock is looked at.
const MUCH: usize = 1 << 12;

/// How long a message may be before its middle is left out: each call around an error says all of it once more.
const LONGEST_MESSAGE: usize = 1 << 16;

/// Errors are big, and pass through many calls.
pub(super) type Fallible<T> = Result<T, Box<Error>>;

/// Runs templates of a set one after the other, with one budget for all.
///
/// Nested templates need stack: with the default budget run it on a thread with a stack of 256 MiB.
pub struct Executor<'a> {
    templates: Templates,
    functions: &'a dyn Fn(&str) -> Option<Function>,
    cache: HashMap<Box<str>, Function>,
    state: &'a mut dyn Any,
    budget: Budget,
    steps: usize,
    deadline: Instant,
    /// How many more times the budget is asked before the clock is.
    until_clock: u32,
    pub(super) depth: usize,
    included: HashMap<Box<str>, usize>,
    /// How many `tpl` run inside of each other.
    evaluating: usize,
    parsed: HashMap<Str, Rc<[Arc<Template>]>>,
    /// The last error of a template that a function ran.
    failed: Option<Box<Error>>,
    buffers: Vec<Vec<u8>>,
}

impl fmt::Debug for Executor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("steps", &self.steps).field("depth", &self.depth).finish_non_exhaustive()
    }
}

/// Where execution is: what errors name.
#[derive(Clone, Copy)]
pub(super) enum At<'t> {
    Nothing,
    Node(&'t Node),
    Branch(&'t Node, u32),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
}

/// A variable; `is_boxed` tells whether Go holds it as an `interface {}`.
struct Variable<'t> {
    name: &'t str,
    value: Value,
    is_boxed: bool,
}

/// A value and whether Go holds it as an `interface {}`, which errors show.
pub(super) struct Got {
    pub value: Value,
    pub is_boxed: bool,
}

/// The same by reference.
#[derive(Clone, Copy)]
pub(super) struct Dot<'v> {
    pub value: &'v Value,
    pub is_boxed: bool,
}

/// What a template needs while it runs.
pub(super) struct Frame<'t> {
    pub template: &'t Template,
    pub at: At<'t>,
    variables: Vec<Variable<'t>>,
    out: Vec<u8>,
}

/// What comes after a node.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl<'t> Frame<'t> {
    /// Returns an error at the place where execution is.
    #[cold]
    pub fn error(&self, message: impl Into<String>) -> Box<Error> {
        let (at, context) = match self.at {
            At::Nothing => {
                let template = self.template.name.to_string();
                return Box::new(Error { template, message: message.into(), ..Error::default() });
            }
            At::Node(node) => (node_at(node), node.to_string()),
            At::Branch(node, at) => (at, node.to_string()),
            At::Pipe(pipe) => (pipe.at, pipe.to_string()),
            At::Command(command) => (command.at, command.to_string()),
            At::Operand(operand) => (operand.at(), operand.to_string()),
        };
        let (line, column) = self.template.source.place(at);
        Box::new(Error {
            template: self.template.source.name.to_string(),
            line,
            column,
            executing: Some(self.template.name.to_string()),
            context,
            message: message.into(),
            cause: None,
        })
    }

    fn push(&mut self, name: &'t str, value: Value) {
        self.variables.push(Variable { name, value, is_boxed: false });
    }

    fn assign(&mut self, name: &str, value: Value, is_boxed: bool) -> Fallible<()> {
        match self.variables.iter_mut().rev().find(|variable| variable.name == name) {
            Some(variable) => {
                variable.value = value;
                variable.is_boxed = is_boxed;
                Ok(())
            }
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }

    pub fn variable(&self, name: &str) -> Fallible<Dot<'_>> {
        match self.variables.iter().rev().find(|variable| variable.name == name) {
            Some(variable) => Ok(Dot { value: &variable.value, is_boxed: variable.is_boxed }),
            None => Err(self.error(format!("undefined variable: {name}"))),
        }
    }
}

fn node_at(node: &Node) -> u32 {
    match node {
        Node::Text { .. } => 0,
        Node::Action { at, .. } | Node::Break { at } | Node::Continue { at } => *at,
        Node::If(branch) | Node::Range(branch) | Node::With(branch) => branch.at,
        Node::Template(call) => call.at,
    }
}

impl<'a> Executor<'a> {
    /// Returns an executor of these templates. `functions` finds the functions besides the built-in ones; `state` is for them.
    pub fn new(
        templates: &Templates,
        functions: &'a dyn Fn(&str) -> Option<Function>,
        state: &'a mut dyn Any,
        budget: Budget,
    ) -> Self {
        Self {
            templates: templates.clone(),
            functions,
            cache: HashMap::new(),
            state,
            budget,
            steps: budget.steps,
            deadline: Instant::now() + budget.time,
            until_clock: BETWEEN_CLOCKS,
            depth: 0,
            included: HashMap::new(),
            evaluating: 0,
            parsed: HashMap::new(),
            failed: None,
            buffers: vec![],
        }
    }

    /// Runs a template on some data and returns its output.
    pub fn execute(&mut self, name: &str, data: &Value) -> Result<Vec<u8>, Error> {
        self.depth = 0;
        self.named(name, data).map_err(|error| *error)
    }

    fn named(&mut self, name: &str, data: &Value) -> Fallible<Vec<u8>> {
        let Some(template) = self.templates.template(name) else {
            let name = super::format::quote_text(name);
            let message = format!("no template {name} associated with template \"{ROOT}\"");
            return Err(Box::new(Error { message, ..Error::default() }));
        };
        let template = Arc::clone(template);
        self.top(&template, data)
    }

    fn top(&mut self, template: &Template, data: &Value) -> Fallible<Vec<u8>> {
        let out = self.buffers.pop().unwrap_or_default();
        self.run(template, Dot { value: data, is_boxed: false }, out)
    }

    /// Runs a template and returns the buffer with its output added.
    fn run(&mut self, template: &Template, dot: Dot<'_>, out: Vec<u8>) -> Fallible<Vec<u8>> {
        let value = if let Value::Nil = dot.value { &Value::Invalid } else { dot.value };
        let mut frame = Frame { template, at: At::Nothing, variables: vec![], out };
        frame.push("$", value.clone());
        let depth = self.depth;
        self.walk_list(&mut frame, Dot { value, ..dot }, &template.root)?;
        self.depth = depth;
        Ok(frame.out)
    }

    /// Counts a level of nesting.
    pub(super) fn enter(&mut self, frame: &Frame<'_>) -> Fallible<()> {
        self.depth += 1;
        if self.depth > self.budget.depth {
            return Err(frame.error(format!("exceeded maximum template depth ({})", self.budget.depth)));
        }
        Ok(())
    }

    pub(super) fn step(&mut self, frame: &Frame<'_>, amount: usize) -> Fallible<()> {
        self.spend(amount).map_err(|message| frame.error(message))
    }

    fn walk_list<'t>(&mut self, frame: &mut Frame<'t>, dot: Dot<'_>, nodes: &'t [Node]) -> Fallible<Flow> {
        self.enter(frame)?;
        let mut flow = Flow::On;
        for node in nodes {
            flow = self.walk(frame, dot, node)?;
            if flow != Flow::On {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn walk<'t>(&mut self, frame: &mut Frame<'t>, dot: Dot<'_>, node: &'t Node) -> Fallible<Flow> {
        match node {
            Node::Text { text } => {
                let text = text.bytes();
                self.step(frame, text.len())?;
                frame.out.extend_from_slice(text);
            }
            Node::Action { pipe, .. } => {
                frame.at = At::Node(node);
                let value = self.pipeline(frame, dot, pipe)?;
                if pipe.variables.is_empty() {
                    frame.at = At::Node(node);
                    self.write(frame, &value)?;
                }
            }
            Node::If(branch) | Node::With(branch) => {
                frame.at = At::Branch(node, branch.at);
                let mark = frame.variables.len();
                let value = self.pipeline(frame, dot, &branch.pipe)?;
                let is_with = matches!(node, Node::With(_));
                let flow = if is_true(&value) {
                    let inner = if is_with { Dot { value: &value, is_boxed: false } } else { dot };
                    self.walk_list(frame, inner, &branch.body)?
                } else if let Some(otherwise) = &branch.otherwise {
                    self.walk_list(frame, dot, otherwise)?
                } else {
                    Flow::On
                };
                frame.variables.truncate(mark);
                return Ok(flow);
            }
            Node::Range(branch) => {
                frame.at = At::Branch(node, branch.at);
                return self.range(frame, dot, branch);
            }
            Node::Template(call) => self.template(frame, dot, node, call)?,
            Node::Break { .. } => return Ok(Flow::Break),
            Node::Continue { .. } => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn write(&mut self, frame: &mut Frame<'_>, value: &Value) -> Fallible<()> {
        let before = frame.out.len();
        match value {
            Value::String(text) => frame.out.extend_from_slice(text),
            Value::Invalid | Value::Nil => frame.out.extend_from_slice(b"<no value>"),
            Value::Structure(structure) => frame.out.extend_from_slice(structure.display().as_bytes()),
            _ => {
                write_value(&mut frame.out, value);
                return self.step(frame, cost(&frame.out[before..]));
            }
        }
        self.step(frame, frame.out.len() - before)
    }

    fn template<'t>(&mut self, frame: &mut Frame<'t>, dot: Dot<'_>, node: &'t Node, call: &'t Call) -> Fallible<()> {
        frame.at = At::Node(node);
        let Some(template) = self.templates.template(&call.name) else {
            return Err(frame.error(format!("template {} not defined", super::format::quote_text(&call.name))));
        };
        let template = Arc::clone(template);
        let value = match &call.pipe {
            Some(pipe) => self.pipeline(frame, dot, pipe)?,
            None => Value::Invalid,
        };
        let out = std::mem::take(&mut frame.out);
        frame.out = self.run(&template, Dot { value: &value, is_boxed: false }, out)?;
        Ok(())
    }

    fn range<'t>(&mut self, frame: &mut Frame<'t>, dot: Dot<'_>, branch: &'t Branch) -> Fallible<Flow> {
        let outer = frame.variables.len();
        let mut value = self.pipeline(frame, dot, &branch.pipe)?;
        if let Value::Structure(structure) = &value
            && matches!(structure.kind(), "map" | "slice")
        {
            value = structure.plain();
            if let Value::List(list) = &value {
                self.step(frame, list.items.len().saturating_mul(16))?;
            }
        }
        let mut loops = Loop { branch, mark: frame.variables.len(), has_run: false, flow: Flow::On };
        match &value {
            Value::Invalid | Value::Nil => {}
            Value::List(list) => {
                let is_boxed = list.kind == super::ListKind::Any;
                for (index, item) in list.items.iter().enumerate() {
                    if !self.iterate(frame, &mut loops, Value::Int(index as i64), Dot { value: item, is_boxed })? {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let entries: Vec<(Str, Value)> =
                    map.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
                let is_boxed = super::call::holds_any(map);
                for (key, item) in &entries {
                    if !self.iterate(frame, &mut loops, key.clone().into(), Dot { value: item, is_boxed })? {
                        break;
                    }
                }
            }
            Value::Int(count) | Value::Int64(count) => self.count(frame, &mut loops, &value, *count)?,
            Value::Uint8(count) => self.count(frame, &mut loops, &value, i64::from(*count))?,
            other => {
                let shown = String::from_utf8_lossy(&super::format::print_value(other)).into_owned();
                let is_number = matches!(other, Value::Structure(number) if number.kind() == "int64");
                return Err(frame.error(match is_number && loops.branch.pipe.variables.len() > 1 {
                    true => format!("can't use {shown} to iterate over more than one variable"),
                    false => format!("range can't iterate over {shown}"),
                }));
            }
        }
        let mut flow = Flow::On;
        if !loops.has_run
            && let Some(otherwise) = &branch.otherwise
        {
            flow = self.walk_list(frame, dot, otherwise)?;
        }
        frame.variables.truncate(outer);
        Ok(flow)
    }

    fn count<'t>(&mut self, frame: &mut Frame<'t>, loops: &mut Loop<'t>, value: &Value, count: i64) -> Fallible<()> {
        if loops.branch.pipe.variables.len() > 1 {
            return Err(frame.error(format!("can't use {count} to iterate over more than one variable")));
        }
        for number in 0..count {
            let item = match value {
                Value::Int64(_) => Value::Int64(number),
                Value::Uint8(_) => Value::Uint8(number as u8),
                _ => Value::Int(number),
            };
            if !self.iterate(frame, loops, Value::Invalid, Dot { value: &item, is_boxed: false })? {
                break;
            }
        }
        Ok(())
    }

    /// Runs the body of a `range` once; tells whether to go on.
    fn iterate<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        loops: &mut Loop<'t>,
        index: Value,
        item: Dot<'_>,
    ) -> Fallible<bool> {
        loops.has_run = true;
        self.step(frame, 1)?;
        let pipe = &loops.branch.pipe;
        let variables = &*pipe.variables;
        if pipe.is_assign {
            let names = match variables {
                [first, second] => (Some(first), second),
                _ => (None, &variables[0]),
            };
            if let Some(name) = names.0 {
                frame.assign(name, index, false)?;
            }
            frame.assign(names.1, item.value.clone(), item.is_boxed)?;
        } else if !variables.is_empty() {
            let top = loops.mark - 1;
            frame.variables[top].value = item.value.clone();
            frame.variables[top].is_boxed = item.is_boxed;
            if variables.len() > 1 {
                frame.variables[top - 1].value = index;
            }
        }
        loops.flow = self.walk_list(frame, item, &loops.branch.body)?;
        frame.variables.truncate(loops.mark);
        Ok(loops.flow != Flow::Break)
    }

    /// Evaluates a pipeline and declares its variables.
    pub(super) fn pipeline<'t>(&mut self, frame: &mut Frame<'t>, dot: Dot<'_>, pipe: &'t Pipe) -> Fallible<Value> {
        frame.at = At::Pipe(pipe);
        self.enter(frame)?;
        self.step(frame, 1)?;
        let mut last = None;
        for command in &pipe.commands {
            let value = self.command(frame, dot, command, last.take())?;
            last = Some(if let Value::Nil = value { Value::Invalid } else { value });
        }
        let value = last.unwrap_or_default();
        for name in &pipe.variables {
            if pipe.is_assign {
                frame.assign(name, value.clone(), false)?;
            } else {
                frame.push(name, value.clone());
            }
        }
        self.depth -= 1;
        Ok(value)
    }

    /// Returns a function and whether it is a built-in one.
    pub(super) fn function(&mut self, name: &str) -> Option<Function> {
        if let Some(function) = self.cache.get(name) {
            return Some(*function);
        }
        let function = (self.functions)(name).or_else(|| builtins::find(name))?;
        self.cache.insert(name.into(), function);
        Some(function)
    }

    /// Returns the error of a function that was called, with the error of the template that it ran.
    #[cold]
    pub(super) fn call_error(&mut self, frame: &Frame<'_>, name: &str, message: String) -> Box<Error> {
        let cause = self.failed.take().filter(|cause| message.ends_with(&cause.to_string()));
        let mut error = frame.error(format!("error calling {name}: {message}"));
        error.cause = cause;
        error
    }

    /// Turns output into a string and keeps the buffer for later.
    fn finish(&mut self, mut out: Vec<u8>) -> Str {
        let text = Str::from(&out[..]);
        if out.capacity() <= 1 << 20 {
            out.clear();
            self.buffers.push(out);
        }
        text
    }

    #[cold]
    fn fail(&mut self, error: Box<Error>) -> String {
        let text = error.to_string();
        if text.len() > LONGEST_MESSAGE {
            self.failed = None;
            return shortened(&text, LONGEST_MESSAGE);
        }
        self.failed = Some(error);
        text
    }

    fn parsed(&mut self, text: &Str) -> Fallible<Rc<[Arc<Template>]>> {
        if let Some(templates) = self.parsed.get(text) {
            return Ok(Rc::clone(templates));
        }
        let functions = self.functions;
        let templates: Rc<[_]> =
            parse_text(ROOT, Arc::from(&**text), &|name| functions(name).is_some()).map_err(Box::new)?.into();
        self.parsed.insert(text.clone(), Rc::clone(&templates));
        Ok(templates)
    }
}

/// A `range` that runs.
struct Loop<'t> {
    branch: &'t Branch,
    /// Number of variables outside of the body.
    mark: usize,
    has_run: bool,
    flow: Flow,
}

impl Host for Executor<'_> {
    fn include(&mut self, name: &str, data: &Value) -> Result<Str, String> {
        match self.included.get_mut(name) {
            Some(count) if *count > DEEPEST_INCLUDE => {
                return Err(format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                ));
            }
            Some(count) => *count += 1,
            None => {
                self.included.insert(name.into(), 1);
            }
        }
        let depth = self.depth;
        let result = self.named(name, data);
        self.depth = depth;
        if let Some(count) = self.included.get_mut(name) {
            *count -= 1;
        }
        match result {
            Ok(out) => Ok(self.finish(out)),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn evaluate(&mut self, text: &Str, data: &Value) -> Result<Str, String> {
        let shown = || super::format::quote_text(&text.text());
        if self.evaluating >= DEEPEST_EVALUATION {
            return Err(format!("tpl is nested deeper than {DEEPEST_EVALUATION} levels"));
        }
        if !self.parsed.contains_key(text) {
            // What is parsed is kept, and is bigger than its text.
            self.spend(text.len().saturating_mul(16).saturating_add(1024))?;
        }
        let templates = match self.parsed(text) {
            Ok(templates) => templates,
            Err(error) => {
                let error = self.fail(error);
                return Err(format!("cannot parse template {}: {error}", shown()));
            }
        };
        let outer = (templates.len() > 1).then(|| self.templates.clone());
        for template in &templates[1..] {
            self.templates.add(Arc::clone(template));
        }
        let depth = self.depth;
        self.evaluating += 1;
        let result = self.top(&templates[0], data);
        self.evaluating -= 1;
        self.depth = depth;
        if let Some(outer) = outer {
            self.templates = outer;
        }
        match result {
            Ok(out) => {
                let text = self.finish(out);
                Ok(if contains(&text, NO_VALUE) { without_no_value(text.to_vec()).into() } else { text })
            }
            Err(error) => {
                let error = self.fail(error);
                Err(format!("error during tpl function execution for {}: {error}", shown()))
            }
        }
    }

    fn spend(&mut self, amount: usize) -> Result<(), String> {
        self.until_clock = if amount >= MUCH { 0 } else { self.until_clock - 1 };
        if self.until_clock == 0 {
            self.until_clock = BETWEEN_CLOCKS;
            if Instant::now() > self.deadline {
                return Err(format!("takes longer than the {} s that a render may take", self.budget.time.as_secs()));
            }
        }
        match self.steps.checked_sub(amount) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                // Nothing may go on, whatever becomes of the error.
                self.steps = 0;
                Err(format!("does more than the budget of {} steps allows", self.budget.steps))
            }
        }
    }

    fn state(&mut self) -> &mut dyn Any {
        self.state
    }
}

/// Returns the start and the end of a text that is longer than it may be.
pub fn shortened(text: &str, longest: usize) -> String {
    const GAP: &str = " [...] ";
    if text.len() <= longest {
        return text.to_owned();
    }
    let half = longest.saturating_sub(GAP.len()) / 2;
    let start = text.floor_char_boundary(half);
    let end = text.ceil_char_boundary(text.len() - half);
    format!("{}{GAP}{}", &text[..start], &text[end..])
}

const NO_VALUE: &[u8] = b"<no value>";

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

/// Returns output without `<no value>`, as Helm shows it.
pub fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    let mut found = memchr::memmem::find_iter(&text, NO_VALUE).peekable();
    if found.peek().is_none() {
        return text;
    }
    let mut out = Vec::with_capacity(text.len());
    let mut from = 0;
    for at in found {
        out.extend_from_slice(&text[from..at]);
        from = at + NO_VALUE.len();
    }
    out.extend_from_slice(&text[from..]);
    out
}
