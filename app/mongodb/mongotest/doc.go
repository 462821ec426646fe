// Package mongotest gives tests a server that speaks MongoDB's protocol.
//
// There are three:
//
//   - ReplicaSet and Standalone start SecantusDB, in the version that
//     requirements.txt pins, as a child of the test's own process: the one
//     says that it is a replica set of one member, the other that it is not,
//     and so neither transactions nor change streams are used there. It is
//     installed once, from PyPI, into .cache at the top of the repository.
//     docs/mongodb-gaps.md says where it differs from MongoDB.
//   - Given is the server that TENANTRY_TEST_MONGODB_URI names, of whichever
//     kind. TENANTRY_TEST_MONGODB_KILL and TENANTRY_TEST_MONGODB_START may say
//     how it is killed and started: see [Server.Crasher].
//
// A server that cannot be had skips the test, and fails it where CI is "true".
// Nothing outlives the test's process, however that ends.
package mongotest
