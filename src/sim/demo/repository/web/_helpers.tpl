{{/* Labels of every object; the version follows the image. */}}
{{- define "web.labels" -}}
{{ include "web.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/part-of: shop
{{- end -}}

{{/* Labels that pods are found by. */}}
{{- define "web.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "web.image" -}}
{{ printf "%s/%s:%s" .Values.image.registry .Chart.Name .Values.image.tag }}
{{- end -}}
