{{- define "cingulum.labels" -}}
app.kubernetes.io/part-of: cingulum
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{- define "cingulum.selector" -}}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "cingulum.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.name }}-{{ .component }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- /* One variable from the Secret: root, name, key. */ -}}
{{- define "cingulum.fromSecret" -}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .root.Values.secretName }}, key: {{ .key }}}}
{{- end }}

{{- /* Security of every pod: not root, no access to the API server. */ -}}
{{- define "cingulum.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "cingulum.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* Environment of one service (root, component): only variables that its Settings has. */ -}}
{{- define "cingulum.environment" -}}
{{- $values := .root.Values -}}
- name: CINGULUM_LOG_LEVEL
  value: {{ $values.logLevel | quote }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" "CINGULUM_IDENTITY_VERIFY_KEY" "key" "identity-verify-key") }}
{{- if eq .component "portal" }}
- name: CINGULUM_GATEWAY_URL
  value: http://{{ .root.Release.Name }}-gateway:8000
{{- else }}
{{- if has .component (list "metadata" "gateway") }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" "CINGULUM_SECRET_KEY" "key" "secret-key") }}
{{- end }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" (printf "CINGULUM_%s_DATABASE_URL" (upper .component)) "key" (printf "%s-database-url" .component)) }}
- name: CINGULUM_HOME
  value: /home/cingulum
{{- if $values.nats.fromSecret }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" "CINGULUM_NATS_URL" "key" "nats-url") }}
{{- else if $values.nats.url }}
- name: CINGULUM_NATS_URL
  value: {{ $values.nats.url | quote }}
{{- end }}
{{- end }}
{{- if eq .component "metadata" }}
- name: CINGULUM_ADMIN_USERNAME
  valueFrom: {secretKeyRef: {name: {{ $values.secretName }}, key: admin-username, optional: true}}
- name: CINGULUM_ADMIN_PASSWORD # read once: remove it from the Secret when there is an administrator
  valueFrom: {secretKeyRef: {name: {{ $values.secretName }}, key: admin-password, optional: true}}
- name: CINGULUM_OIDC_CLIENT_SECRET
  valueFrom: {secretKeyRef: {name: {{ $values.secretName }}, key: oidc-client-secret, optional: true}}
{{- end }}
{{- if eq .component "gateway" }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" "CINGULUM_IDENTITY_SIGNING_KEY" "key" "identity-signing-key") }}
- name: CINGULUM_SERVICES
  value: {{ include "cingulum.addresses" .root | quote }}
{{- with $values.trustedProxies }}
- name: CINGULUM_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
- name: CINGULUM_METRICS_TOKEN
  valueFrom: {secretKeyRef: {name: {{ $values.secretName }}, key: metrics-token, optional: true}}
- name: CINGULUM_RATE_LIMIT
  value: {{ $values.rateLimit | quote }}
{{- end }}
{{- if has .component (include "cingulum.storeUsers" . | fromJsonArray) }}
{{- if eq $values.store.kind "s3" }}
{{- with $values.store.s3 }}
- name: CINGULUM_S3_ENDPOINT
  value: {{ .endpoint | quote }}
{{- with .publicEndpoint }}
- name: CINGULUM_S3_PUBLIC_ENDPOINT
  value: {{ . | quote }}
{{- end }}
- name: CINGULUM_S3_BUCKET
  value: {{ .bucket | quote }}
- name: CINGULUM_S3_PREFIX
  value: {{ .prefix | quote }}
- name: CINGULUM_S3_REGION
  value: {{ .region | quote }}
{{- end }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" "CINGULUM_S3_ACCESS_KEY" "key" "s3-access-key") }}
{{ include "cingulum.fromSecret" (dict "root" .root "name" "CINGULUM_S3_SECRET_KEY" "key" "s3-secret-key") }}
{{- else }}
- name: CINGULUM_STORE
  value: /store
{{- end }}
{{- end }}
{{- range $name, $value := (index $values.services .component).env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Service → URL, as JSON for CINGULUM_SERVICES. */ -}}
{{- define "cingulum.addresses" -}}
{{- $addresses := dict -}}
{{- range $component, $_ := omit .Values.services "gateway" -}}
{{- $_ := set $addresses $component (printf "http://%s-%s:8000" $.Release.Name $component) -}}
{{- end -}}
{{- toJson $addresses -}}
{{- end }}

{{- define "cingulum.storeUsers" -}}
["metadata", "registry", "transfer", "compressor"]
{{- end }}

{{- define "cingulum.stateful" -}}
["metadata", "registry", "scheduler", "transfer", "compressor"]
{{- end }}

{{- define "cingulum.storeClaim" -}}
{{- .Values.store.local.existingClaim | default (printf "%s-store" .Release.Name) -}}
{{- end }}
