// Types of the API. Those that are generated are of contract/openapi.json.
export type {
  Approval, AuditEntry, Batch, BatchComparison, BatchMade, BatchOverview, Coverage, CoverageCell, Delivery, Document, DocumentCounts, DocumentWithFiles, Event, Failure, FailureGroup, Failures,
  File as DocumentFile, FileCounts, List, ListEntry, Match, MatchedItem, Operation, OperationItem, Outcome, Pace,
  PreflightReport, Problem, Profile, Projection, Rebuild, ReportCount, Rule, RuleResult, RuleTable, Session, SkippedFile, Slice, Source, SourceReport, StatusChange, Token,
  TokenIssued, Transition, Verification, VerificationFinding, Webhook,
  CheckEntry, Finding, FlagshipTarget, ListMade, RebuiltView, SourceSettings, WebhookTested, Window,
} from './generated';

export interface PageOf<T> {
  items: T[];
  next?: string;
}
