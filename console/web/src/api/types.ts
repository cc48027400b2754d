// Types of the API. Those that are generated are of contract/openapi.json.
export type {
  Actor, Approval, AuditEntry, Batch, BatchComparison, BatchMade, BatchOverview, Cause, Coverage, CoverageCell, Delivery, Document, DocumentCounts, DocumentWithFiles, Event, Explanation, Failure, FailureGroup, Failures,
  File as DocumentFile, FileCounts, List, ListEntry, Match, MatchedItem, Operation, OperationItem, Outcome, Overview, Pace,
  PreflightReport, Problem, Profile, Projection, Rebuild, Rehearsal, ReportCount, Rule, RuleResult, RuleTable, Session, SkippedFile, Slice, Source, SourceReport, StatusChange, Step, Throughput, Token,
  TokenIssued, Transition, Verification, VerificationFinding, Webhook,
  CheckEntry, Finding, FlagshipTarget, ListMade, RebuiltView, SourceSettings, WebhookTested, Window,
} from './generated';

export interface PageOf<T> {
  items: T[];
  next?: string;
}
