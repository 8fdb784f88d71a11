//! The arguments, as they are typed; nothing here is interpreted beyond its form.

use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};

/// A terminal control plane for multi-cluster GitOps: every cluster's applications with sync, drift and health, rendered from Git
/// in-process; sync, roll back and promote from the keyboard. Without a command it opens the screen.
#[derive(Debug, Parser)]
#[command(name = "quarterdeck", version, max_term_width = 120, after_help = EXIT_CODES)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do; nothing opens the screen.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Arguments {
    /// Reads the arguments of the process.
    ///
    /// # Errors
    /// When they make no sense, or ask for help: clap's answer.
    pub fn read() -> Result<Self, clap::Error> {
        // Rendering a chart takes less time than making every other command ready to be recognised.
        let of_template = std::env::args_os().nth(1).filter(|first| first == "template");
        if let Some(Ok(TemplateOnly { global, command })) = of_template.map(|_| TemplateOnly::try_parse()) {
            let Only::Template(template) = command;
            return Ok(Self { global, command: Some(Command::Template(template)) });
        }
        Self::try_parse()
    }
}

/// The same with one command.
#[derive(Debug, Parser)]
struct TemplateOnly {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Only,
}

#[derive(Debug, Subcommand)]
enum Only {
    Template(Box<Template>),
}

const EXIT_CODES: &str = "Exit codes: 0 fine, 1 error, 2 drift or not healthy, 3 refused by a gate.";

/// Options that every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct Global {
    /// Git repository: a work tree or a bare one [default: the one around the current folder]; for `template` the URL of a chart repository
    #[arg(long, global = true, value_name = "PATH", env = "QUARTERDECK_REPO")]
    pub repo: Option<PathBuf>,
    /// kubeconfig file; may be given several times [default: $KUBECONFIG, else ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Vec<PathBuf>,
    /// Settings file [default: quarterdeck/config.toml in the configuration folder]
    #[arg(long, global = true, value_name = "FILE", env = "QUARTERDECK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Only these contexts of the kubeconfig; may be given several times [default: all]
    #[arg(long, global = true, value_name = "CONTEXT")]
    pub context: Vec<String>,
    /// Context of the cluster that `in-cluster` destinations mean
    #[arg(long, global = true, value_name = "CONTEXT")]
    pub control_plane: Option<String>,
    /// Refuses everything that would change something
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Colours of the screen
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draws with ASCII signs only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Leaves the mouse to the terminal
    #[arg(long, global = true)]
    pub no_mouse: bool,
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Opens the screen on four simulated clusters and a demo repository; needs nothing installed
    Demo(Demo),
    /// Shows clusters and applications; named ones with their objects
    Status(Status),
    /// Shows what differs between Git and the clusters
    Diff(Selection),
    /// Brings applications to what Git says
    Sync(Sync),
    /// Moves the next environment to what this one has
    Promote(Promote),
    /// Moves an environment back to an earlier tag
    Rollback(Rollback),
    /// Renders a chart, as `helm template` does
    Template(Box<Template>),
    /// Says how the object in a file is doing
    Health(Health),
    /// Says why two objects differ: what is wanted and what is live
    Compare(Compare),
    /// Shows what was done with quarterdeck, newest first
    Audit(Audit),
    /// Shows the clusters and how their connections stand
    Clusters(Show),
    /// Shows an environment's commits and releases
    History(History),
    /// Prints a completion script for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Prints the key table of the README
    #[command(hide = true)]
    Keys,
}

/// `quarterdeck demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Runs the clusters without the screen, prints where they are and stays until Ctrl-C
    #[arg(long)]
    pub serve: bool,
    /// Leaves out the story: no drift and no lost cluster by themselves
    #[arg(long)]
    pub quiet: bool,
    /// Draws one screen of the demo into an SVG file and ends
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Keys to press before the picture is drawn, such as `2` or `/pay<enter>`
    #[arg(long, value_name = "KEYS", requires = "picture", default_value = "")]
    pub keys: String,
    /// Size of the picture in cells
    #[arg(long, value_name = "COLUMNSxROWS", requires = "picture", default_value = "120x34")]
    pub size: String,
    /// Seconds that the clusters get before the picture is drawn
    #[arg(long, value_name = "SECONDS", requires = "picture", default_value_t = 30)]
    pub after: u64,
}

/// Which applications.
#[derive(Clone, Debug, Default, Args)]
pub struct Selection {
    /// Applications by name; none means all
    #[arg(value_name = "APP")]
    pub apps: Vec<String>,
    /// Only those on this cluster
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Only those in this environment
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,
    /// Only those with these labels, such as `team=ops,tier!=web`
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// `quarterdeck status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Which applications.
    #[command(flatten)]
    pub selection: Selection,
}

/// `quarterdeck sync`.
#[derive(Debug, Args)]
pub struct Sync {
    /// Which applications.
    #[command(flatten)]
    pub selection: Selection,
    /// All applications
    #[arg(long, conflicts_with = "apps")]
    pub all: bool,
    /// Deletes objects that Git no longer has
    #[arg(long)]
    pub prune: bool,
    /// Asks the clusters and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Deletes and creates again what cannot be changed in place
    #[arg(long)]
    pub force: bool,
    /// Replaces objects instead of applying them
    #[arg(long)]
    pub replace: bool,
    /// Only this object, such as `apps:Deployment:api`; may be given several times
    #[arg(long = "resource", value_name = "GROUP:KIND:NAME")]
    pub resources: Vec<String>,
    /// Another revision than the Application's
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<String>,
    /// Stops at the next safe point if it takes longer; what is not done then is left, and the exit code is 2
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
    /// How it is confirmed.
    #[command(flatten)]
    pub confirm: Confirm,
}

/// How a change is confirmed.
#[derive(Clone, Debug, Default, Args)]
pub struct Confirm {
    /// Answers the question with yes
    #[arg(short, long)]
    pub yes: bool,
}

/// `quarterdeck promote`.
#[derive(Debug, Args)]
pub struct Promote {
    /// Environment to promote from
    #[arg(value_name = "FROM")]
    pub from: String,
    /// Environment to promote to [default: the next one]
    #[arg(value_name = "TO")]
    pub to: Option<String>,
    /// Deletes objects that Git no longer has
    #[arg(long)]
    pub prune: bool,
    /// Prints the plan and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How it is confirmed.
    #[command(flatten)]
    pub confirm: Confirm,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// `quarterdeck rollback`.
#[derive(Debug, Args)]
pub struct Rollback {
    /// Environment to roll back
    #[arg(value_name = "ENVIRONMENT")]
    pub environment: String,
    /// Tag or commit to go back to
    #[arg(value_name = "REVISION")]
    pub to: String,
    /// Deletes objects that Git no longer has
    #[arg(long)]
    pub prune: bool,
    /// Prints the plan and changes nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How it is confirmed.
    #[command(flatten)]
    pub confirm: Confirm,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// `quarterdeck template`: the flags of `helm template`. Of a flag that is given twice the last one counts.
#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub struct Template {
    /// Release name and chart, or the chart alone: a folder, an archive, REPOSITORY/CHART or oci://…
    #[arg(value_name = "[NAME] CHART", num_args = 0..)]
    pub name_and_chart: Vec<String>,
    /// Namespace of the release
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Value file; may be given several times, later ones win; `-` is standard input
    #[arg(short = 'f', long, value_name = "FILE")]
    pub values: Vec<String>,
    /// Sets values: key1=val1,key2=val2
    #[arg(long, value_name = "PAIRS")]
    pub set: Vec<String>,
    /// Sets values that stay strings
    #[arg(long, value_name = "PAIRS")]
    pub set_string: Vec<String>,
    /// Sets values from JSON: key=jsonval, or {"key": jsonval}
    #[arg(long, value_name = "PAIRS")]
    pub set_json: Vec<String>,
    /// Sets values from files: key=path
    #[arg(long, value_name = "PAIRS")]
    pub set_file: Vec<String>,
    /// Sets one value without reading anything into it: key=text
    #[arg(long, value_name = "PAIR")]
    pub set_literal: Vec<String>,
    /// Prints the chart's CRDs too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub include_crds: Option<bool>,
    /// Accepted as in helm, where it says nothing to this command: CRDs are printed with --include-crds only
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub skip_crds: Option<bool>,
    /// Leaves tests out
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub skip_tests: Option<bool>,
    /// Leaves hooks out
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub no_hooks: Option<bool>,
    /// Sets .Release.IsUpgrade
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub is_upgrade: Option<bool>,
    /// Kubernetes version for .Capabilities.KubeVersion
    #[arg(long, value_name = "VERSION")]
    pub kube_version: Option<String>,
    /// API version for .Capabilities.APIVersions; may be given several times
    #[arg(short, long, value_name = "GROUP/VERSION")]
    pub api_versions: Vec<String>,
    /// Prints only manifests made from this template; may be given several times
    #[arg(short, long, value_name = "FILE")]
    pub show_only: Vec<String>,
    /// Template for the release's name
    #[arg(long, value_name = "TEMPLATE")]
    pub name_template: Option<String>,
    /// Goes without a release name
    #[arg(short, long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub generate_name: Option<bool>,
    /// Does not check values.schema.json
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub skip_schema_validation: Option<bool>,
    /// Writes the manifests into files below this folder
    #[arg(long, value_name = "FOLDER")]
    pub output_dir: Option<String>,
    /// Puts the release's name into the path of --output-dir
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub release_name: Option<bool>,
    /// Prints what the templates wrote even where it is not YAML
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub debug: Option<bool>,
    /// Reads the kubeconfig's current context with `server`: its version, its APIs, and what `lookup` asks for
    #[arg(long, value_name = "WHERE", num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    pub dry_run: Option<String>,
    /// Lets `lookup` read from the cluster of this context; without it, it finds nothing
    #[arg(long, value_name = "CONTEXT")]
    pub lookup_context: Option<String>,
    /// Version or constraint of a chart that does not lie on disk
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Address of the repository that the chart is in: what `--repo` names if that is a URL.
    #[arg(skip)]
    pub repo: Option<String>,
    /// User for the repository
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// Password for the repository
    #[arg(long, value_name = "TEXT")]
    pub password: Option<String>,
    /// Fetches the dependencies that the chart's folder lacks, into memory only: the folder stays as it is
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch)]
    pub dependency_update: Option<bool>,
    /// Which helm to print like
    #[arg(long, value_name = "VERSION", default_value = "4.3", value_parser = ["4.3", "4.2", "3.19"])]
    pub helm_compat: String,
    /// What helm takes and does not act upon here.
    #[command(flatten)]
    pub idle: Idle,
}

/// Flags of `helm template` that change nothing in what it prints, taken so that a command line of helm's goes on working.
#[derive(Debug, Default)]
pub struct Idle {
    /// What is refused, with a word about it: the flags that would run programs, ask the network or read signatures.
    pub refused: Vec<&'static str>,
    /// The context that a server is asked in.
    pub kube_context: Option<String>,
    /// Flags that say how a server is reached, which only the kubeconfig does here.
    pub reach: Vec<&'static str>,
}

/// Flags that are on or off, and whether they are refused when they are on.
const SWITCHES: [(&str, bool); 21] = [
    ("atomic", false),
    ("create-namespace", false),
    ("devel", false),
    ("disable-openapi-validation", false),
    ("enable-dns", true),
    ("force", false),
    ("force-conflicts", false),
    ("force-replace", false),
    ("hide-notes", false),
    ("insecure-skip-tls-verify", false),
    ("kube-insecure-skip-tls-verify", false),
    ("pass-credentials", false),
    ("plain-http", false),
    ("render-subchart-notes", false),
    ("replace", false),
    ("rollback-on-failure", false),
    ("server-side", false),
    ("take-ownership", false),
    ("validate", true),
    ("verify", true),
    ("wait-for-jobs", false),
];

/// Flags with a text, and whether they are refused.
const TEXTS: [(&str, bool); 24] = [
    ("burst-limit", false),
    ("ca-file", false),
    ("cert-file", false),
    ("color", false),
    ("colour", false),
    ("content-cache", false),
    ("description", false),
    ("key-file", false),
    ("keyring", false),
    ("kube-apiserver", false),
    ("kube-as-group", false),
    ("kube-as-user", false),
    ("kube-ca-file", false),
    ("kube-context", false),
    ("kube-tls-server-name", false),
    ("kube-token", false),
    ("labels", false),
    ("post-renderer", true),
    ("post-renderer-args", true),
    ("qps", false),
    ("registry-config", false),
    ("repository-cache", false),
    ("repository-config", false),
    ("timeout", false),
];

impl Args for Idle {
    fn augment_args(command: clap::Command) -> clap::Command {
        let named = |name: &'static str| Arg::new(name).long(name);
        let switches = SWITCHES.iter().map(|(name, _)| named(name).value_parser(switch).default_missing_value("true"));
        let wait = named("wait").default_missing_value("true");
        let switches = switches.chain([wait]).map(|arg| arg.num_args(0..=1).require_equals(true));
        let texts = TEXTS.iter().map(|(name, _)| named(name).action(ArgAction::Append));
        let texts = texts.map(|arg| if *arg.get_id() == "labels" { arg.short('l') } else { arg });
        command.args(switches.chain(texts).map(|arg| arg.hide(true)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Idle {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut idle = Self::default();
        let switches = SWITCHES.iter().filter(|(name, _)| matches.get_one(name) == Some(&true));
        let texts = TEXTS.iter().filter(|(name, _)| matches.contains_id(name));
        for (name, is_refused) in switches.chain(texts) {
            if *is_refused {
                idle.refused.push(name);
            } else if name.starts_with("kube-") && *name != "kube-context" {
                idle.reach.push(name);
            }
        }
        idle.kube_context = matches.get_many::<String>("kube-context").and_then(|mut all| all.next_back()).cloned();
        Ok(idle)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Reads a truth as Go does.
fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing \"{text}\": invalid syntax")),
    }
}

/// `quarterdeck health`.
#[derive(Debug, Args)]
pub struct Health {
    /// File with objects; `-` reads standard input
    pub file: PathBuf,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// `quarterdeck compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// File with the object as Git has it
    pub desired: PathBuf,
    /// File with the object as the cluster has it
    pub live: PathBuf,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// `quarterdeck audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// How many entries
    #[arg(short = 'n', long, default_value_t = 50)]
    pub limit: usize,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// Commands that only show something.
#[derive(Debug, Args)]
pub struct Show {
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

/// `quarterdeck history`.
#[derive(Debug, Args)]
pub struct History {
    /// Environment
    pub environment: String,
    /// How the result is written
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Output,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        super::Arguments::command().debug_assert();
    }
}
