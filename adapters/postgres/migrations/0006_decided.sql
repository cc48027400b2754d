-- The version of its stream at which a command is decided by all who handle it
-- at the same moment.
ALTER TABLE repeatable_requests ADD COLUMN decided int; -- NULL: not yet
CREATE INDEX repeatable_requests_command ON repeatable_requests (command);
