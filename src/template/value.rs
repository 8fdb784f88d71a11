//! The values that templates work with: Go's kinds, shared by reference where Go shares them.

use std::borrow::{Borrow, Cow};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

/// Returns bytes as a text, with what is not UTF-8 replaced. Faster than the standard library's where nothing is.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The same of bytes that become the text.
pub fn lossy_string(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A Go string: bytes that are usually, but not always, UTF-8. Cloning shares them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Str(Rc<[u8]>);

impl Str {
    /// Returns the text, with what is not UTF-8 replaced.
    pub fn text(&self) -> Cow<'_, str> {
        lossy(&self.0)
    }
}

impl Deref for Str {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self(text.into_bytes().into())
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// What a list holds by its Go type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// `[]interface {}`
    Any,
    /// `[]string`
    String,
    /// `[]int`
    Int,
    /// `[]uint8`
    Uint8,
    /// `[][]interface {}`
    Lists,
}

/// A Go slice. Its items never change once it is made.
#[derive(Clone, Debug)]
pub struct List {
    /// The items.
    pub items: Rc<Vec<Value>>,
    /// Its Go type.
    pub kind: ListKind,
    /// Whether it is Go's nil slice: an empty list that JSON holds as null.
    pub is_nil: bool,
}

/// What a map holds by its Go type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// `map[string]interface {}`
    Any,
    /// `map[string]string`
    String,
    /// The same where it is nil, which JSON tells from an empty one.
    NilString,
    /// Helm's type of `.Values`, a `map[string]interface {}` by another name.
    Values,
    /// The same in Helm 3.
    ChartutilValues,
}

impl MapKind {
    /// Tells whether its values are strings.
    pub fn is_string(self) -> bool {
        matches!(self, Self::String | Self::NilString)
    }

    /// Tells whether it is Helm's type of `.Values`.
    pub fn is_values(self) -> bool {
        matches!(self, Self::Values | Self::ChartutilValues)
    }
}

/// A Go map with string keys: a reference, so that what `set` changes is seen by all who hold it.
#[derive(Clone, Debug)]
pub struct Map {
    kind: MapKind,
    entries: Rc<RefCell<BTreeMap<Str, Value>>>,
}

impl Map {
    /// Returns an empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::from_entries(MapKind::Any, BTreeMap::new())
    }

    /// Returns a map with these entries.
    pub fn from_entries(kind: MapKind, entries: BTreeMap<Str, Value>) -> Self {
        Self { kind, entries: Rc::new(RefCell::new(entries)) }
    }

    /// Returns its Go type.
    pub fn kind(&self) -> MapKind {
        self.kind
    }

    /// Returns the same map as another Go type: what changes in one changes in the other.
    pub fn converted(&self, kind: MapKind) -> Self {
        Self { kind, entries: Rc::clone(&self.entries) }
    }

    /// Returns the entries to read. They must not be held while templates run.
    pub fn entries(&self) -> std::cell::Ref<'_, BTreeMap<Str, Value>> {
        RefCell::borrow(&self.entries)
    }

    /// Returns the entries to change. They must not be held while templates run.
    pub fn entries_mut(&self) -> std::cell::RefMut<'_, BTreeMap<Str, Value>> {
        self.entries.borrow_mut()
    }

    /// Returns the value of a key; a clone shares maps, lists and strings.
    pub fn value(&self, key: &[u8]) -> Option<Value> {
        self.entries().get(key).cloned()
    }

    /// Sets a key.
    pub fn insert(&self, key: impl Into<Str>, value: impl Into<Value>) {
        self.entries_mut().insert(key.into(), value.into());
    }

    /// Tells whether both are the same map, not only equal ones.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.entries, &other.entries)
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// A Go value that is neither a basic kind, nor a slice, nor a map: a struct, or a type with methods.
pub trait Structure: fmt::Debug {
    /// Returns the Go type name, e.g. `time.Time`.
    fn type_name(&self) -> &str;
    /// Returns Go's kind of it, e.g. `struct`, `ptr`, `slice`, `map`, `int64`.
    fn kind(&self) -> &'static str {
        "struct"
    }
    /// Returns a field, or the value of a map key.
    fn field(&self, name: &str) -> Option<Value>;
    /// Calls a method; `None` if there is none of that name.
    fn call(&self, method: &str, args: &[Value]) -> Option<Result<Value, String>>;
    /// Returns how `%v` prints it.
    fn print(&self) -> String;
    /// Returns how an action prints it that did not get it from a function: pointers are followed.
    fn display(&self) -> String {
        self.print()
    }
    /// Returns the fields in their order under their JSON names, if it is a struct that JSON holds by its fields.
    fn members(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }
    /// Returns it as JSON would hold it, for `toJson` and `toYaml`, `range` and `len`: a map, list or basic value.
    fn plain(&self) -> Value;
    /// Lets functions get at their own types.
    fn as_any(&self) -> &dyn std::any::Any;
}

impl List {
    /// Returns a list with these items.
    pub fn new(items: Vec<Value>, kind: ListKind) -> Self {
        Self { items: Rc::new(items), kind, is_nil: false }
    }

    /// Returns Go's nil slice.
    pub fn nil(kind: ListKind) -> Self {
        Self { items: Rc::default(), kind, is_nil: true }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        if let Some(items) = Rc::get_mut(&mut self.items) {
            dismantle(std::mem::take(items));
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if let Some(entries) = Rc::get_mut(&mut self.entries) {
            dismantle(std::mem::take(entries.get_mut()).into_values());
        }
    }
}

/// Drops values that may be nested deeper than the stack would allow, by taking apart what nothing else holds.
fn dismantle(values: impl IntoIterator<Item = Value>) {
    let mut inner = Vec::new();
    let take_apart = |mut value: Value, inner: &mut Vec<Value>| match &mut value {
        Value::List(list) => {
            if let Some(items) = Rc::get_mut(&mut list.items) {
                inner.append(items);
            }
        }
        Value::Map(map) => {
            if let Some(entries) = Rc::get_mut(&mut map.entries) {
                inner.extend(std::mem::take(entries.get_mut()).into_values());
            }
        }
        _ => {}
    };
    for value in values {
        take_apart(value, &mut inner);
        while let Some(value) = inner.pop() {
            take_apart(value, &mut inner);
        }
    }
}

/// A value of a template.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// No value at all: what Go's reflection calls invalid. A field of it is again no value.
    #[default]
    Invalid,
    /// A nil interface. A field of it is an error.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `float64`
    Float(f64),
    /// `uint8`, as indexing a string gives
    Uint8(u8),
    /// `string`
    String(Str),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// A struct, or a type with methods.
    Structure(Rc<dyn Structure>),
}

impl Value {
    /// Returns a `[]interface {}`.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(List::new(items, ListKind::Any))
    }

    /// Returns a `[]string`.
    pub fn strings(items: impl IntoIterator<Item = impl Into<Str>>) -> Self {
        let items = items.into_iter().map(|item| Self::String(item.into())).collect();
        Self::List(List::new(items, ListKind::String))
    }

    /// Tells whether there is nothing in it: invalid or nil.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Invalid | Self::Nil)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value.into())
    }
}

impl From<Str> for Value {
    fn from(value: Str) -> Self {
        Self::String(value)
    }
}

impl From<Map> for Value {
    fn from(value: Map) -> Self {
        Self::Map(value)
    }
}
