using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Nhi.TokenExchange;

/// <summary>Where a broker listens, which targets it hands out by which protocol, and its limits. Read once at its start.</summary>
public sealed class TokenBrokerOptions
{
    internal List<(string Target, IReadOnlyList<string> Resources)> OAuth { get; } = [];

    internal List<(string Target, string Resource, string? ClientId)> Azure { get; } = [];

    internal List<(string Target, bool OverSocket)> Aws { get; } = [];

    internal List<(string Target, string Email, string ProjectId)> Google { get; } = [];

    internal int? LoopbackPort { get; private set; }

    /// <summary>The folder of the socket, and of the files with the clients' tokens. Made, for its owner alone, if it is missing; one that others may write is refused. Default: a new one in memory (<c>XDG_RUNTIME_DIR</c>, <c>/dev/shm</c>), else among the temporary files; it goes with the broker.</summary>
    public string? Folder { get; set; }

    /// <summary>How many requests a second one client may make in the long run; twice as many at once. Default 100; from 1 to 100,000. Others get 429.</summary>
    public int RequestsPerSecond { get; set; } = 100;

    /// <summary>How many requests of one client are worked on at the same time. Default 64; from 1 to 10,000. Others get 429.</summary>
    public int ConcurrentRequests { get; set; } = 64;

    /// <summary>How many connections are open at the same time, of all clients together; over loopback, on Linux, other users get the first half of them at most. Default 4,096; from 1 to 65,536. Others are closed at once.</summary>
    public int MaxConnections { get; set; } = 4096;

    /// <summary>How many clients may hold credentials at the same time. Default 1,024; from 1 to 10,000. Others get 429.</summary>
    public int MaxClients { get; set; } = 1024;

    /// <summary>How long requests may take to finish when the broker stops. Default 5 seconds; from 0 to 1 minute.</summary>
    public TimeSpan DrainWithin { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether SIGTERM, SIGINT, SIGQUIT and SIGHUP drain the broker and then end the job, before they end the process. Default true. Start the job with <see cref="TokenExchangeBuilder.EndOnSignals"/> off then: else it ends by itself at once, and
    /// the last requests are told so.
    /// </summary>
    public bool EndOnSignals { get; set; } = true;

    /// <summary>
    /// Whether a process is a proof only if a client is bound to it (<see cref="BrokerClient.BindTo"/>), or to one that it descends from; it counts as that client then. Default false: each process of the broker's user is served, as itself. On Linux alone: elsewhere no
    /// process is a proof.
    /// </summary>
    public bool OnlyBoundProcesses { get; set; }

    /// <summary>Where the log goes. Default: nowhere. It says who asked and what was refused, never a token.</summary>
    public ILoggerFactory Logging { get; set; } = NullLoggerFactory.Instance;

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Listens on 127.0.0.1 instead of a Unix socket, for SDKs that know nothing else. Each caller is asked for its token then; where a protocol has no place for one (Azure IMDS, Google), the kernel has to name the process at the other end.</summary>
    /// <param name="port">The port. Default: a free one.</param>
    public TokenBrokerOptions ListenOnLoopback(int port = 0)
    {
        LoopbackPort = port;
        return this;
    }

    /// <summary>Hands out a target by OAuth 2.0 token exchange (RFC 8693), with revocation (RFC 7009) and introspection (RFC 7662).</summary>
    /// <param name="target">A target that gives a <see cref="BearerToken"/>.</param>
    /// <param name="resources">The values of <c>resource</c> and <c>audience</c> that mean it, compared to the letter. The target's name does, too.</param>
    public TokenBrokerOptions TokenExchange(string target, params string[] resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        OAuth.Add((Named(target), [target, .. resources]));
        return this;
    }

    /// <summary>Hands out a target as a managed identity of Azure: by the endpoint of App Service, and by that of virtual machines (IMDS).</summary>
    /// <param name="target">A target that gives a <see cref="BearerToken"/>.</param>
    /// <param name="resource">The resource that it is asked for by, without <c>/.default</c>, such as <c>https://storage.azure.com</c>. A slash at the end makes no difference.</param>
    /// <param name="clientId">The client id of the user-assigned identity that it is asked for by. Null: the one that is asked for without an id.</param>
    public TokenBrokerOptions AzureManagedIdentity(string target, string resource, string? clientId = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(resource);
        Azure.Add((Named(target), resource.TrimEnd('/'), clientId));
        return this;
    }

    /// <summary>Hands out a target as the credentials of an AWS container. The first target that is named so is the one that <c>AWS_CONTAINER_CREDENTIALS_FULL_URI</c> leads to.</summary>
    /// <param name="target">A target that gives <see cref="AwsSessionCredentials"/>.</param>
    /// <param name="overSocket">True: a program that knows Unix sockets asks for it, such as the <c>credential_process</c> of a profile, and no variable leads SDKs to it. It needs no <see cref="ListenOnLoopback"/> then.</param>
    public TokenBrokerOptions AwsContainerCredentials(string target, bool overSocket = false)
    {
        Aws.Add((Named(target), overSocket));
        return this;
    }

    /// <summary>Hands out a target by the metadata server of Google Cloud, as its default service account. One target at most.</summary>
    /// <param name="target">A target that gives a <see cref="BearerToken"/>.</param>
    /// <param name="email">What the service account is said to be.</param>
    /// <param name="projectId">The project that is said to be around it.</param>
    public TokenBrokerOptions GoogleMetadata(string target, string email, string projectId)
    {
        ArgumentException.ThrowIfNullOrEmpty(email);
        ArgumentException.ThrowIfNullOrEmpty(projectId);
        Google.Add((Named(target), email, projectId));
        return this;
    }

    private static string Named(string target)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        return target;
    }
}
