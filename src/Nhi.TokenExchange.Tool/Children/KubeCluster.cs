namespace Nhi.TokenExchange;

/// <summary>A cluster of Kubernetes, and the target that is for it.</summary>
/// <param name="Target">A target that gives bearer tokens.</param>
/// <param name="Server">Its API server.</param>
/// <param name="Authority">A file with the authority that signed its certificate; null: the system's.</param>
internal sealed record KubeCluster(string Target, Uri Server, string? Authority)
{
    public const string Example = "cluster=https://kubernetes.example:6443";

    /// <exception cref="UsageException">It has another form, or there is no such file.</exception>
    public static KubeCluster Read(NamedValue value) => value.Parts switch
    {
        [var server] => new KubeCluster(value.Target, AddressOf(value, server), null),
        [var server, var file] => new KubeCluster(value.Target, AddressOf(value, server), File.Exists(file) ? Path.GetFullPath(file) : throw new UsageException($"--kubectl: there is no file '{ExceptionText.Clean(file, 300)}'. Name the certificate of the cluster's authority (PEM).")),
        _ => throw value.Wrong($"{Example},/etc/kubernetes/ca.pem"),
    };

    // kubectl sends no credential without TLS.
    private static Uri AddressOf(NamedValue value, string server) => value.AddressOf(server, Example) is { } address && address.Scheme == Uri.UriSchemeHttps ? address : throw value.Wrong(Example);
}
