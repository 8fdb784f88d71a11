//! A set of templates that know each other by name.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::Template;
use super::{Error, builtins, parse};

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
