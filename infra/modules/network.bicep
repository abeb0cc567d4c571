// Private networking: the app goes out through a subnet, and storage is reached at private endpoints.
// Network and DNS zones are made where one has none of one's own.
import { Tags } from '../types.bicep'

param location string
param tags Tags
param token string
param storageId string

@description('The account of the queue of events, where it is another one; else empty.')
param eventsStorageId string

@description('A subnet that is delegated to Microsoft.App/environments, and one for the endpoints; both empty: a network is made.')
param ownAppSubnetId string
param ownEndpointSubnetId string

@description('The resource group of zones that are there and linked; empty: they are made.')
param ownZonesGroupId string

var services = [
  'blob'
  'queue'
  'table'
]
var targets = [
  { name: 'blob', service: 'blob', id: storageId }
  { name: 'queue', service: 'queue', id: storageId }
  { name: 'table', service: 'table', id: storageId }
]
var eventsTargets = empty(eventsStorageId) ? [] : [{ name: 'events', service: 'queue', id: eventsStorageId }]
var endpoints = concat(targets, eventsTargets)
var zoneNames = [for service in services: 'privatelink.${service}.${environment().suffixes.storage}']
var makesNetwork = empty(ownAppSubnetId)
var zonesToMake = empty(ownZonesGroupId) ? zoneNames : []
var zonesId = '${empty(ownZonesGroupId) ? resourceGroup().id : ownZonesGroupId}/providers/Microsoft.Network/privateDnsZones'

resource network 'Microsoft.Network/virtualNetworks@2025-01-01' = if (makesNetwork) {
  name: 'vnet-lanyard-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: ['10.0.0.0/16']
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.1.0/24'
          delegations: [
            {
              name: 'flex'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.2.0/24'
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

var endpointSubnetId = makesNetwork ? '${network.id}/subnets/endpoints' : ownEndpointSubnetId
// The network that the endpoints are in.
var networkId = split(endpointSubnetId, '/subnets/')[0]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [for name in zonesToMake: {
  name: name
  location: 'global'
  tags: tags
}]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (name, i) in zonesToMake: {
  parent: zone[i]
  name: 'lanyard-${token}'
  location: 'global'
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: networkId
    }
  }
}]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-01-01' = [for each in endpoints: {
  name: 'pe-lanyard-${each.name}-${token}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: endpointSubnetId
    }
    privateLinkServiceConnections: [
      {
        name: each.name
        properties: {
          privateLinkServiceId: each.id
          groupIds: [each.service]
        }
      }
    ]
  }
}]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-01-01' = [for (each, i) in endpoints: {
  parent: endpoint[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: each.service
        properties: {
          privateDnsZoneId: '${zonesId}/privatelink.${each.service}.${environment().suffixes.storage}'
        }
      }
    ]
  }
  dependsOn: [zone]
}]

output appSubnetId string = makesNetwork ? '${network.id}/subnets/app' : ownAppSubnetId
