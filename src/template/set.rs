//! A set of templates that know each other by name.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::node::Template;
use super::{Error, builtins, parse};

/// Texts that are smaller than this, in bytes, are parsed faster than a thread starts.
const WORTH_A_THREAD: usize = 256 << 10;

/// More threads than this wait for each other's memory.
const MOST_PARSERS: usize = 4;

/// The stack that the deepest nesting which the parser allows may need.
const PARSER_STACK: usize = 32 << 20;

/// Templates by name. Cloning shares them; threads can share them too.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    named: Arc<HashMap<Arc<str>, Arc<Template>>>,
}

impl Templates {
    /// Returns a set without templates.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a text and adds it and all that it defines. What holds nothing but blanks never replaces another template.
    ///
    /// `known` tells which functions there are besides the built-in ones.
    pub fn parse(&mut self, name: &str, text: impl Into<Arc<[u8]>>, known: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        for template in parse_text(name, text.into(), known)? {
            self.add(template);
        }
        Ok(())
    }

    /// Parses texts by name as [`parse`](Self::parse) does one after the other, on several cores where that pays.
    pub fn parse_all(
        &mut self,
        texts: &[(&str, &Arc<[u8]>)],
        known: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<(), Error> {
        let size: usize = texts.iter().map(|(_, text)| text.len()).sum();
        // How many cores there are takes the system as long to say as a small chart takes to parse.
        let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(MOST_PARSERS);
        let cores = if size < WORTH_A_THREAD { 1 } else { cores() };
        if cores < 2 {
            return texts.iter().try_for_each(|(name, text)| self.parse(name, Arc::clone(text), known));
        }
        let next = AtomicUsize::new(0);
        let parse = || {
            let mut parsed = Vec::new();
            while let Some((name, text)) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
                parsed.push((*name, parse_text(name, Arc::clone(text), known)));
            }
            parsed
        };
        let mut parsed = std::thread::scope(|scope| {
            let stack = || std::thread::Builder::new().name("parse".into()).stack_size(PARSER_STACK);
            let others: Vec<_> = (1..cores).map_while(|_| stack().spawn_scoped(scope, parse).ok()).collect();
            let mut parsed: HashMap<_, _> = parse().into_iter().collect();
            others.into_iter().flat_map(|other| other.join().unwrap_or_default()).for_each(|(name, result)| {
                parsed.insert(name, result);
            });
            parsed
        });
        for (name, text) in texts {
            // What a thread did not finish is parsed here.
            let result = parsed.remove(name).unwrap_or_else(|| parse_text(name, Arc::clone(text), known));
            result?.into_iter().for_each(|template| self.add(template));
        }
        Ok(())
    }

    /// Tells whether there is a template of this name.
    pub fn lookup(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// Returns the names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(AsRef::as_ref)
    }

    pub(super) fn add(&mut self, template: Arc<Template>) {
        if template.is_empty() && self.lookup(&template.name) {
            return;
        }
        Arc::make_mut(&mut self.named).insert((*template.name).into(), template);
    }

    pub(super) fn template(&self, name: &str) -> Option<&Arc<Template>> {
        self.named.get(name)
    }
}

/// Parses a text; the first template is the text itself.
pub(super) fn parse_text(
    name: &str,
    text: Arc<[u8]>,
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<Arc<Template>>, Error> {
    let templates = parse::parse(name, text, &|function| builtins::find(function).is_some() || known(function))?;
    Ok(templates.into_iter().map(Arc::new).collect())
}
