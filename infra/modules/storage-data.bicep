// The queue of work and its poison queue, and the tables of the ledger.
param storageName string

var queues = [
  'lanyard-reconcile'
  'lanyard-reconcile-poison'
]
var tables = [
  'lanyardresources'
  'lanyardidentities'
  'lanyardgrants'
  'lanyarddecisions'
  'lanyardheld'
  'lanyardcontrol'
]

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' = [for name in queues: {
  parent: queueService
  name: name
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' = [for name in tables: {
  parent: tableService
  name: name
}]
