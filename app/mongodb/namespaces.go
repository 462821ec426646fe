package mongodb
const namespaces = "namespaces"
