// Types of the API. Those that are generated are of contract/openapi.json.
export type {
  Approval, AuditEntry, Batch, BatchComparison, BatchMade, BatchOverview, Delivery, Document, DocumentCounts, DocumentWithFiles, Event, Failure,
  File as DocumentFile, FileCounts, List, ListEntry, Match, MatchedItem, OperationAccepted, OperationItem, Outcome, Pace,
  PreflightReport, Problem, Profile, Projection, Rebuild, ReportCount, Rule, RuleResult, RuleTable, Slice, Source, SourceReport, StatusChange, Token,
  TokenIssued, Transition, Verification, VerificationFinding, Webhook,
} from './generated';

import type { Operation as Described } from './generated';

// What the description does not have yet.
export type Operation = Omit<Described, 'status' | 'kind'> & {
  status: 'running' | 'paused' | 'completed' | 'cancelled'; kind: string; named?: number; list?: string; failedOf?: string; documentsPerSecond?: number;
};

export interface PageOf<T> {
  items: T[];
  next?: string;
}
