// Package oidc knows who a bearer token of a company's own identity provider
// (its issuer) speaks for, by OpenID Connect.
//
// Rules:
//
//   - A token is taken when the configured issuer signed it, by an asymmetric
//     algorithm, for the configured audience, and its time has come and is not
//     over. That is go-oidc's verdict, whole. What is looked at before it only
//     refuses: it says why, and spares the issuer requests for tokens that are
//     not its own.
//   - Nobody has a role that the settings do not give to a name which the issuer
//     gives: its names are shared with other applications, so that its "admin"
//     is not Waybill's unless somebody says so.
//   - Requests never ask the issuer. One goroutine does (Run): it finds it, reads
//     its keys, and reads them again from time to time and when a token names
//     one that is not known. However many such tokens come, the issuer is asked
//     once in a few seconds at most.
//   - While its keys were never read nobody is let in by it, and the process is
//     not ready. Once they were, an issuer that is away does no harm: its keys
//     stay, and so do those whose tokens they signed.
//   - A token, or what stands in it, is in no error and in no log.
package oidc
