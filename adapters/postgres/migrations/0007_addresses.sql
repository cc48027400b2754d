-- The audit log shows the client's address beside what a request did: of the
-- requests of one id the last before it.
DROP INDEX requests_request_id;
CREATE INDEX requests_request_id ON requests (request_id, at);
