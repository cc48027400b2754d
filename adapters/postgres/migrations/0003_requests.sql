-- Clients may name their requests. One that names two of them alike must not
-- hide the second, so a request id can have several rows.
ALTER TABLE requests DROP CONSTRAINT requests_pkey;
CREATE INDEX requests_request_id ON requests (request_id);
