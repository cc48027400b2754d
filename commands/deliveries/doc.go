// Package deliveries tells webhooks of what happens: it places the journal's
// records in a queue for each webhook that wants them, and sends them.
//
// Rules:
//
//   - The journal is read and never Kafka or a view: a topic that is filled
//     again, a view that is made anew and a replay fire nothing. How far each
//     webhook is, by journal partition, stands in the database beside its
//     deliveries and changes in the transaction that adds them.
//   - Records are placed in the order of their time, partitions merged: what
//     comes of a record is never before it.
//   - A lane is the records of one batch for one webhook; those of no batch have
//     their stream's. In a lane one record is under way at a time, and the next
//     only when it was taken (2xx) or given up. Lanes do not wait for each other.
//   - Work is claimed under a lease. A process that is killed loses nothing: the
//     record is sent again, with the same webhook-id. So a receiver gets each
//     record at least once.
//   - Attempts go on for days, further and further apart. A record that was then
//     not taken is failed, which the log shows, and its lane goes on: each record
//     says its place, so that the receiver sees what it lacks, and one that it
//     cannot digest does not silence a batch for ever. When it took nothing at
//     all meanwhile, nobody is there: the webhook is disabled instead of failing
//     one record after the other.
//   - The webhook's settings are asked of the journal, at most a second ago,
//     before every request. What it no longer wants is withdrawn.
//   - A webhook that has too much waiting is placed nothing more until some of
//     it is through: the journal keeps the rest.
package deliveries
