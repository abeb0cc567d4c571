// The queues of work and of events with their poison queues, the tables of the ledger, and how long leases are kept.
param storageName string

var queues = [
  'lanyard-reconcile'
  'lanyard-reconcile-poison'
  'lanyard-events'
  'lanyard-events-poison'
]
var tables = [
  'lanyardresources'
  'lanyardidentities'
  'lanyardgrants'
  'lanyarddecisions'
  'lanyardheld'
  'lanyardcontrol'
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

// A blob for each resource that was worked on: its lease says who has the turn. No turn lasts for a
// day, and a blob that is gone is made again.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'leases'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['lanyard-leases/']
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 1
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [for name in queues: {
  parent: queueService
  name: name
}]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [for name in tables: {
  parent: tableService
  name: name
}]
