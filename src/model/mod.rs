//! Plain data that every layer speaks: identities, Kubernetes objects, Applications, status, plans, operations.
//!
//! Nothing here does I/O, waits or can fail; the types are what the stages hand to each other.

mod application;
mod audit;
pub mod chart;
mod environment;
mod fleet;
mod id;
mod object;
mod operation;
mod plan;
mod problem;
mod status;
pub mod text;
pub mod version;

pub use application::{
    Application, Automated, Backoff, Destination, DirectoryBlock, FileParameter, HelmBlock, IgnoreDifference,
    Parameter, Retry, Source, SyncPolicy, Tool,
};
pub use audit::{AuditEntry, Outcome};
pub use chart::{ChartArchive, ChartRequest};
pub use environment::{Environment, GatePolicy, Held, Reference};
pub use fleet::{App, Cluster, CommitInfo, Connection, Fleet, Mode, ObjectStatus, Progress, RepositoryInfo};
pub use id::{AppId, ClusterName, CommitId, EnvironmentName, Gk, Gvk, Key, OperationId, PlanId};
pub use object::Object;
pub use operation::{AppProgress, ObjectResult, Operation, Phase, ResultStatus};
pub use plan::{
    Action, AppPlan, Approved, Ask, Change, Danger, FieldChange, Gate, Plan, PlanKind, RefMove, ResourceSelector,
    SyncAsk,
};
pub use problem::Problem;
pub use status::{Condition, ConditionKind, Health, HealthStatus, Sync};
