namespace BrokerSample;

/// <summary>A program in another language: all that it needs is in its environment.</summary>
internal static class Legacy
{
    public const string Script = """
        curl --silent --unix-socket "${NHI_BROKER#unix:}" http://localhost/oauth2/token \
          --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
          --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:access_token \
          --data-urlencode "subject_token@$NHI_BROKER_TOKEN_FILE" \
          --data-urlencode resource=https://warehouse.example | sed 's/"access_token":"[^"]*"/"access_token":"…"/'
        """;
}
