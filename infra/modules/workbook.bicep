// One page to look at: what was heard, decided, held, and what the last sweep found.
import { Tags } from '../types.bicep'

param location string
param tags Tags
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'lanyard')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Lanyard'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: loadTextContent('workbook.json')
  }
}
