// The function app: Flex Consumption, Python 3.13, its own identity, no key anywhere.
import { Tags } from '../types.bicep'

param name string
param location string
param tags Tags
param planName string
param identityId string
param clientId string
param principalId string
param installation string
param storageName string

@description('The account of the queue of events; empty where it is the same.')
param eventsStorageName string
param packages string
param insightsName string
param policy string

@description('Where decisions are published; nowhere where it is empty.')
param noticesEndpoint string
param alwaysReadyInstances int
param maximumInstances int

@description('Whether the app sends its traces and metrics to Application Insights.')
param telemetry bool

@description('Where the app goes out through; empty without private networking.')
param subnetId string

var private = !empty(subnetId)
var ready = [
  {
    name: 'function:resource_events'
    instanceCount: alwaysReadyInstances
  }
]
var none = alwaysReadyInstances < 1

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

var settings = [
  {
    // By address: an account's name alone means the public cloud.
    name: 'AzureWebJobsStorage__blobServiceUri'
    value: 'https://${storageName}.blob.${environment().suffixes.storage}'
  }
  {
    name: 'AzureWebJobsStorage__queueServiceUri'
    value: 'https://${storageName}.queue.${environment().suffixes.storage}'
  }
  {
    name: 'AzureWebJobsStorage__tableServiceUri'
    value: 'https://${storageName}.table.${environment().suffixes.storage}'
  }
  {
    name: 'AzureWebJobsStorage__credential'
    value: 'managedidentity'
  }
  {
    name: 'AzureWebJobsStorage__clientId'
    value: clientId
  }
  {
    // Where Azure Resource Manager and Microsoft Graph are.
    name: 'LANYARD_CLOUD'
    value: environment().name
  }
  {
    name: 'AZURE_CLIENT_ID'
    value: clientId
  }
  {
    name: 'LANYARD_PRINCIPAL_ID'
    value: principalId
  }
  {
    // A policy that names it is refused.
    name: 'LANYARD_IDENTITY_ID'
    value: identityId
  }
  {
    // In all that the app makes: under another one it knows none of that as its own.
    name: 'LANYARD_INSTALLATION'
    value: installation
  }
  {
    name: 'LANYARD_POLICY'
    value: policy
  }
  {
    name: 'LANYARD_NOTICES_ENDPOINT'
    value: noticesEndpoint
  }
  {
    // Not PYTHON_ENABLE_OPENTELEMETRY: with that the host keeps the app's log lines to itself.
    name: 'LANYARD_TELEMETRY'
    value: string(telemetry)
  }
  {
    // An address: with local authentication off, what is in it opens nothing.
    name: 'APPLICATIONINSIGHTS_CONNECTION_STRING'
    value: insights.properties.ConnectionString
  }
  {
    name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING'
    value: 'ClientId=${clientId};Authorization=AAD'
  }
]
// Another connection than AzureWebJobsStorage: the host gives what it is called to the trigger.
var eventsSettings = [
  {
    name: 'LANYARD_EVENTS__queueServiceUri'
    value: 'https://${eventsStorageName}.queue.${environment().suffixes.storage}'
  }
  {
    name: 'LANYARD_EVENTS__credential'
    value: 'managedidentity'
  }
  {
    name: 'LANYARD_EVENTS__clientId'
    value: clientId
  }
]

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the app to deploy to by this tag.
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: private ? subnetId : null
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: '3.13'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${storageName}.blob.${environment().suffixes.storage}/${packages}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: 2048
        // Of the whole app: no function has a maximum of its own. That two or three instances reconcile,
        // which share ARM's quota best, is for host.json.
        maximumInstanceCount: maximumInstances
        alwaysReady: none ? [] : ready
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      // Event Grid has no private way to a function: its service tag, then, and nobody else.
      ipSecurityRestrictionsDefaultAction: private ? 'Deny' : 'Allow'
      ipSecurityRestrictions: [
        {
          name: 'event-grid'
          priority: 100
          action: 'Allow'
          tag: 'ServiceTag'
          ipAddress: 'AzureEventGrid'
        }
      ]
      appSettings: empty(eventsStorageName) ? settings : concat(settings, eventsSettings)
    }
  }
}

// Deployment by FTP or with a user's publishing password is off, too.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output id string = app.id
