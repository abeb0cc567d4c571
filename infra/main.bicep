// The app: its identity, storage, plan, telemetry, alerts. What it may do to what it watches is in
// watch.bicep, once for each subscription. Nothing here has a key, a password or a secret.
targetScope = 'subscription'

@description('The azd environment; part of every name.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('A region that has Flex Consumption.')
param location string

@description('The policy file or folder in the package that is deployed, or the https address of a blob. Its mode is observe unless it says otherwise.')
param policy string = 'lanyard.yaml'

@description('The blob container (resource id) that such a policy is in, for the app to read; empty where it is in the package, or in the app\'s own storage.')
param policyContainerId string = ''

@description('A topic that the app publishes its decisions to, for others to subscribe to.')
param notices bool = false

@description('Alerts on what a person must know of, and who gets them.')
param alerts bool = true

@description('Who is told when an alert fires; nobody where it is empty.')
param alertEmail string = ''

@description('Whose what the app makes is, a GUID: a successor is given its predecessor\'s; a new one where it is empty.')
param installation string = ''

@description('How storage is kept: in three zones, where the region has them.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

@description('A storage account for the queue of events and nothing else. Subscriptions that join by Azure Policy need it (join.bicep).')
param separateEventsStorage bool = false

@description('Reach storage through private endpoints only, and take calls from Event Grid only.')
param privateNetworking bool = false

@description('With private networking: a subnet (id) of one\'s own that is delegated to Microsoft.App/environments; a network is made where it is empty.')
param appSubnetId string = ''

@description('With such a subnet: the subnet (id) for the private endpoints.')
param endpointSubnetId string = ''

@description('With private networking: the resource group (id) of the private DNS zones that are there already and linked; zones are made where it is empty.')
param dnsZonesGroupId string = ''

@description('The app sends its traces and metrics to Application Insights, not its log lines alone.')
param telemetry bool = true

@description('How long logs are kept, in days.')
@minValue(30)
@maxValue(730)
param retentionDays int = 30

@description('An instance that is always there for events: no cold start, and its price.')
@minValue(0)
@maxValue(5)
param alwaysReadyInstances int = 1

@description('The most instances of the whole app. Some regions take no fewer than 40; no function has a maximum of its own.')
@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var appName = 'func-lanyard-${token}'
var storageName = 'stlanyard${token}'
var eventsStorageName = 'stevents${token}'
var packages = 'packages'
var groupName = 'rg-lanyard-${environmentName}'
// The same at each deployment, whatever becomes of the identity and the storage.
var installationId = empty(installation) ? guid(group.id, appName) : installation
// The parts of the container's id. Where there is none, ones that exist: a scope is worked out even
// for what is not deployed.
var policyContainer = split(empty(policyContainerId) ? '${subscription().id}/resourceGroups/${groupName}/providers/Microsoft.Storage/storageAccounts/${storageName}/blobServices/default/containers/${packages}' : policyContainerId, '/')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'lanyard-identity'
  scope: group
  params: {
    name: 'id-lanyard-${token}'
    location: location
    tags: tags
  }
}

module logs 'modules/logs.bicep' = {
  name: 'lanyard-logs'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    retentionDays: retentionDays
  }
}

module storage 'modules/storage.bicep' = {
  name: 'lanyard-storage'
  scope: group
  params: {
    name: storageName
    location: location
    tags: tags
    sku: storageSku
    closed: privateNetworking
    packages: packages
  }
}

module eventsStorage 'modules/events-storage.bicep' = if (separateEventsStorage) {
  name: 'lanyard-events-storage'
  scope: group
  params: {
    name: eventsStorageName
    location: location
    tags: tags
    sku: storageSku
    closed: privateNetworking
    principalId: identity.outputs.principalId
  }
}

module data 'modules/storage-data.bicep' = {
  name: 'lanyard-data'
  scope: group
  params: {
    storageName: storage.outputs.name
  }
}

module access 'modules/access.bicep' = {
  name: 'lanyard-access'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    insightsName: logs.outputs.insightsName
  }
}

module policyAccess 'modules/policy-access.bicep' = if (!empty(policyContainerId)) {
  name: 'lanyard-policy-access'
  scope: resourceGroup(policyContainer[2], policyContainer[4])
  params: {
    storageName: policyContainer[8]
    containerName: policyContainer[12]
    principalId: identity.outputs.principalId
  }
}

module topic 'modules/notices.bicep' = if (notices) {
  name: 'lanyard-notices'
  scope: group
  params: {
    name: 'evgt-lanyard-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  name: 'lanyard-network'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    storageId: storage.outputs.id
    eventsStorageId: separateEventsStorage ? eventsStorage!.outputs.id : ''
    ownAppSubnetId: appSubnetId
    ownEndpointSubnetId: endpointSubnetId
    ownZonesGroupId: dnsZonesGroupId
  }
}

module app 'modules/app.bicep' = {
  name: 'lanyard-app'
  scope: group
  params: {
    name: appName
    planName: 'plan-lanyard-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    clientId: identity.outputs.clientId
    principalId: identity.outputs.principalId
    installation: installationId
    storageName: storage.outputs.name
    eventsStorageName: separateEventsStorage ? eventsStorageName : ''
    packages: packages
    insightsName: logs.outputs.insightsName
    policy: policy
    noticesEndpoint: notices ? topic!.outputs.endpoint : ''
    alwaysReadyInstances: alwaysReadyInstances
    maximumInstances: maximumInstances
    telemetry: telemetry
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
  }
  dependsOn: [
    access
    data
  ]
}

module alertRules 'modules/alerts.bicep' = if (alerts) {
  name: 'lanyard-alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: logs.outputs.workspaceId
    email: alertEmail
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'lanyard-workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: logs.outputs.workspaceId
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output SERVICE_APP_NAME string = appName
output LANYARD_APP_ID string = app.outputs.id
output LANYARD_CLIENT_ID string = identity.outputs.clientId
output LANYARD_PRINCIPAL_ID string = identity.outputs.principalId
output LANYARD_IDENTITY_ID string = identity.outputs.id
output LANYARD_INSTALLATION string = installationId
output LANYARD_STORAGE_ID string = storage.outputs.id
output LANYARD_EVENTS_STORAGE_ID string = separateEventsStorage ? eventsStorage!.outputs.id : storage.outputs.id
output LANYARD_STORAGE string = storage.outputs.name
output LANYARD_NOTICES_TOPIC string = notices ? topic!.outputs.id : ''
output LANYARD_ACTION_GROUP_ID string = alerts ? alertRules!.outputs.actionGroupId : ''
