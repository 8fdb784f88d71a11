//! Colours by meaning: themes are files, compiled in; without colour the modifiers carry what they can.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

/// What a piece of text means; a theme gives each a style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ink {
    /// Ordinary text, and the background of everything.
    Text,
    /// What matters less, or is old.
    Dim,
    /// What matters most in its line.
    Strong,
    /// As it should be.
    Good,
    /// Differs, missing.
    Warn,
    /// Broken.
    Bad,
    /// Under way.
    Info,
    /// The product's own colour: where one is, what can be pressed.
    Accent,
    /// Rules and boxes.
    Border,
    /// Column heads and group names.
    Heading,
    /// The first line.
    Bar,
    /// The selected row.
    Selected,
    /// A line that Git adds.
    Added,
    /// What differs within an added line.
    AddedWord,
    /// A line that goes away.
    Removed,
    /// What differs within a removed line.
    RemovedWord,
}

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// None: `NO_COLOR`.
    None,
    /// 256.
    Indexed,
    /// All.
    #[default]
    True,
}

/// A theme, ready for drawing.
#[derive(Clone, Debug)]
pub struct Theme {
    name: String,
    styles: BTreeMap<Ink, Style>,
    depth: Depth,
}

/// A theme that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such theme.
    #[error("no theme is called {name:?}; there are {}", names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
    },
    /// The file is wrong.
    #[error("theme {name}: {what}")]
    Invalid {
        /// The theme.
        name: String,
        /// What is wrong.
        what: String,
    },
}

const FILES: [(&str, &str); 3] = [
    ("quarterdeck-dark", include_str!("../../themes/quarterdeck-dark.toml")),
    ("quarterdeck-light", include_str!("../../themes/quarterdeck-light.toml")),
    ("colour-blind-safe", include_str!("../../themes/colour-blind-safe.toml")),
];

/// Returns the names of the themes; the first is the default.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    palette: BTreeMap<String, String>,
    styles: BTreeMap<Ink, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    #[serde(default)]
    bold: bool,
    #[serde(default)]
    underline: bool,
    #[serde(default)]
    italic: bool,
}

impl Theme {
    /// Loads one of the themes.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn load(name: &str, depth: Depth) -> Result<Self, Error> {
        let wanted = match name {
            "" => FILES[0].0,
            "dark" => "quarterdeck-dark",
            "light" => "quarterdeck-light",
            name => name,
        };
        let (name, text) =
            FILES.iter().find(|(known, _)| *known == wanted).ok_or(Error::Unknown { name: wanted.to_owned() })?;
        Self::parse(name, text, depth)
    }

    /// Reads a theme's text.
    ///
    /// # Errors
    /// When it is not TOML, misses a style or names a colour that is not in its palette.
    pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Self, Error> {
        let invalid = |what: String| Error::Invalid { name: name.to_owned(), what };
        let file: File = toml::from_str(text).map_err(|error| invalid(error.message().to_owned()))?;
        let colour = |name: &Option<String>| match name {
            None => Ok(None),
            Some(name) => file
                .palette
                .get(name)
                .and_then(|text| read_colour(text))
                .map(Some)
                .ok_or_else(|| invalid(format!("{name:?} is no colour of the palette"))),
        };
        let mut styles = BTreeMap::new();
        for ink in ALL {
            let entry = file.styles.get(&ink).ok_or_else(|| invalid(format!("{ink:?} has no style")))?;
            let mut style = Style::new();
            if depth != Depth::None {
                style.fg = colour(&entry.fg)?.map(|colour| at_depth(colour, depth));
                style.bg = colour(&entry.bg)?.map(|colour| at_depth(colour, depth));
            }
            for (wanted, modifier) in [
                (entry.bold, Modifier::BOLD),
                (entry.underline, Modifier::UNDERLINED),
                (entry.italic, Modifier::ITALIC),
            ] {
                if wanted {
                    style = style.add_modifier(modifier);
                }
            }
            if depth == Depth::None {
                style = style.add_modifier(plain_modifier(ink));
            }
            styles.insert(ink, style);
        }
        Ok(Self { name: name.to_owned(), styles, depth })
    }

    /// Returns the theme's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many colours it uses.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// Returns the style for a meaning.
    pub fn style(&self, ink: Ink) -> Style {
        self.styles.get(&ink).copied().unwrap_or_default()
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::load("", Depth::True).expect("the themes that are compiled in are tested")
    }
}

const ALL: [Ink; 16] = [
    Ink::Text,
    Ink::Dim,
    Ink::Strong,
    Ink::Good,
    Ink::Warn,
    Ink::Bad,
    Ink::Info,
    Ink::Accent,
    Ink::Border,
    Ink::Heading,
    Ink::Bar,
    Ink::Selected,
    Ink::Added,
    Ink::AddedWord,
    Ink::Removed,
    Ink::RemovedWord,
];

fn plain_modifier(ink: Ink) -> Modifier {
    match ink {
        Ink::Dim | Ink::Border => Modifier::DIM,
        Ink::Strong | Ink::Bad | Ink::Heading | Ink::Accent => Modifier::BOLD,
        Ink::Bar | Ink::Selected => Modifier::REVERSED,
        Ink::AddedWord | Ink::RemovedWord => Modifier::UNDERLINED,
        _ => Modifier::empty(),
    }
}

fn read_colour(text: &str) -> Option<Color> {
    if text == "terminal" {
        return Some(Color::Reset);
    }
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let number = u32::from_str_radix(digits, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some(Color::Rgb(red, green, blue))
}

/// The nearest of the 6×6×6 cube and the grey ramp for terminals with 256 colours.
fn at_depth(colour: Color, depth: Depth) -> Color {
    let Color::Rgb(red, green, blue) = colour else { return colour };
    if depth == Depth::True {
        return colour;
    }
    const STEPS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let wanted = [i32::from(red), i32::from(green), i32::from(blue)];
    let far = |other: [i32; 3]| wanted.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum::<i32>();
    let nearest = |value: i32| (0..6).min_by_key(|&at| (STEPS[at] - value).abs()).unwrap_or(0);
    let cube = wanted.map(nearest);
    let cube_far = far(cube.map(|at| STEPS[at]));
    let grey = (0..24).min_by_key(|&at| far([8 + 10 * at; 3])).unwrap_or(0);
    let index = if far([8 + 10 * grey; 3]) < cube_far {
        232 + usize::try_from(grey).unwrap_or(0)
    } else {
        16 + 36 * cube[0] + 6 * cube[1] + cube[2]
    };
    Color::Indexed(u8::try_from(index).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Depth, Ink, Theme, names};

    #[test]
    fn every_theme_loads_at_every_depth() {
        for name in names() {
            for depth in [Depth::None, Depth::Indexed, Depth::True] {
                let theme = Theme::load(name, depth).unwrap();
                let style = theme.style(Ink::Bad);
                assert_eq!(style.fg.is_none(), depth == Depth::None, "{name}");
            }
        }
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let error = Theme::load("nope", Depth::True).unwrap_err().to_string();
        assert!(error.contains("colour-blind-safe"), "{error}");
    }
}
