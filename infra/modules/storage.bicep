// The app's storage account, without keys, and its containers. storage-data.bicep has the rest of it.
import { Tags } from '../types.bicep'

param name string
param location string
param tags Tags
param sku string
param packages string

@description('Whether nobody but private endpoints and trusted Azure services gets in.')
param closed bool

var containers = [
  packages
  'dead-letters'
  'lanyard-leases'
  'lanyard-sweeps'
]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // Event Grid writes dead letters as a trusted service: that path stays, and no other.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      defaultAction: closed ? 'Deny' : 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource service 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // Dead letters and packages that somebody deletes by mistake.
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [for each in containers: {
  parent: service
  name: each
}]

output id string = account.id
output name string = account.name
