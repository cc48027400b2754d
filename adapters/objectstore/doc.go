// Package objectstore keeps what was migrated, in a bucket of an object store,
// under the same keys as a folder has.
//
// An object of a store is visible whole or not at all, and durable when the
// store says that it has it. The rest is the contract of commands.Archive:
//
//   - An upload is judged before anybody sees it, so its bytes wait in a file of
//     this machine until they are committed, and go to the store under their
//     own key, once. A temporary object that is copied to its key would cost a
//     second write at the store, and be left over when a worker is killed. The
//     file has no name: it goes with the process, however that ends.
//   - A key is written on the condition that nothing has it (If-None-Match), so
//     one of many writers wins; what has the key is compared, byte by byte.
//     What has it with other bytes is damaged: it is copied to
//     .damaged/{entity tag}/{key}, and replaced on the condition that it is
//     still the one that was compared (If-Match). A store that ignores
//     conditions is found out when it is opened, and looked into before each
//     write: two who write one key at once then both write it, the same bytes.
//   - Large objects go in parts, one after the other. Of each upload some parts
//     are in memory; all that wait together are bounded (uploadMemory), however
//     large the files and however many the workers.
//   - An upload that is stopped is given up at the store as well. What a killed
//     process left half-sent, which nobody sees and everybody pays for, is given
//     up by whoever opens the bucket a day later (see sweep).
//   - Credentials are the environment's: those that the AWS SDK finds, by
//     connections of its own. A URL that holds any is refused, and not repeated.
//   - Connections to the store are package outgoing's: private addresses are
//     reached only when settings allow their network. A redirection is followed
//     by none, and a connection on which nothing moves is given up.
//
// The stores are those that speak the S3 protocol. gocloud.dev/blob has drivers
// for those of Google and Azure: each is an import and a case in Parse, and
// brings the whole client of its cloud into the program.
package objectstore
