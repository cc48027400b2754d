// Package kafka carries the journal: the relay copies it to Kafka in order, the
// feed hands it to projectors in batches, policies are brought the control
// partition event by event, and locate tells what a partition of Kafka holds.
//
// Rules:
//
//   - Each journal partition is one Kafka partition: 0 is <prefix>.control, 1 to
//     16 are <prefix>.documents. The value is the record's exact bytes, the key
//     its stream, the timestamp its time.
//   - The one rule of a consumer: take a record only when its journal offset is
//     the last one taken + 1, ignore any other. Duplicates and stretches that
//     were sent again fall to it.
//   - Kafka's offsets are never a checkpoint. The relay's mark is a pair
//     (broker offset, journal offset) and is believed only when the record at
//     the one is the record of the other.
//   - After any error of a producer it is thrown away: it may have left out
//     what it reports as sent.
//   - No topic is created by accident, and one with other settings than needed
//     is refused.
package kafka
