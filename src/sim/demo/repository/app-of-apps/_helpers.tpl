{{/* Name of a component's Application: it has to be unique over all clusters. */}}
{{- define "app-of-apps.name" -}}
{{ printf "%s-%s" .cluster .component | trunc 63 | trimSuffix "-" }}
{{- end -}}
