using System.Net;
using System.Text;
using DatabricksWarehouse;

namespace Nhi.TokenExchange;

/// <summary>The client of samples/DatabricksWarehouse where a statement does not end well: what is told, and that nothing runs on that nobody waits for.</summary>
/// <remarks>The sample's sources are compiled into this project; the workspace is a handler in memory.</remarks>
internal sealed class StatementClientTests
{
    private const string Submission = "POST /api/2.0/sql/statements";
    private const string Look = "GET /api/2.0/sql/statements/s1";
    private const string Cancel = "POST /api/2.0/sql/statements/s1/cancel";
    private const string Chunk = "GET /api/2.0/sql/statements/s1/result/chunks/1";
    private const string Running = """{"statement_id":"s1","status":{"state":"RUNNING"}}""";
    private const string Done = """{"statement_id":"s1","status":{"state":"SUCCEEDED"},"result":{"data_array":[["1"]],"next_chunk_internal_link":"/api/2.0/sql/statements/s1/result/chunks/1"}}""";

    [Test]
    public async Task Rows_of_all_chunks_come_together()
    {
        using var workspace = new Workspace { [Submission] = Says(Running), [Look] = Says(Done), [Chunk] = Says("""{"data_array":[["2"]]}""") };
        StatementResult result = await workspace.ExecuteAsync();
        Assert.That(result.Rows.Select(row => row[0]), Is.EqualTo(["1", "2"]));
        Assert.That(workspace.Asked, Is.EqualTo([Submission, Look, Chunk]));
    }

    [TestCase(Submission, new[] { Submission }, Description = "no id came: there is nothing to cancel by")]
    [TestCase(Look, new[] { Submission, Look, Cancel })]
    [TestCase(Chunk, new[] { Submission, Look, Chunk }, Description = "it is done: it costs nothing any more")]
    public void A_time_out_is_told_as_one_and_a_statement_that_runs_is_cancelled(string late, string[] asked)
    {
        using var workspace = new Workspace { [Submission] = Says(Running), [Look] = Says(Done), [Chunk] = Says("{}"), [Cancel] = Says("{}"), [late] = TimesOut };
        WorkspaceException told = Assert.ThrowsAsync<WorkspaceException>(() => workspace.ExecuteAsync())!;
        Assert.That(told.Message, Is.EqualTo($"The workspace did not answer {late} in time."));
        Assert.That(workspace.Asked, Is.EqualTo(asked));
    }

    [Test]
    public void The_time_out_of_HttpClient_is_one()
    {
        using var workspace = new Workspace { [Submission] = cancellationToken => Never(cancellationToken) };
        workspace.Timeout = TimeSpan.FromMilliseconds(1);
        Assert.That(() => workspace.ExecuteAsync(), Throws.TypeOf<WorkspaceException>().With.Message.Contains("in time"));
    }

    [Test]
    public void The_callers_cancellation_stays_his_and_cancels_the_statement()
    {
        using var caller = new CancellationTokenSource();
        using var workspace = new Workspace
        {
            [Submission] = Says(Running), [Cancel] = Says("{}"),
            [Look] = async cancellationToken =>
            {
                await caller.CancelAsync();
                return await Never(cancellationToken);
            },
        };
        Assert.That(() => workspace.ExecuteAsync(caller.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(workspace.Asked, Is.EqualTo([Submission, Look, Cancel]));
    }

    private static IEnumerable<TestCaseData<Func<CancellationToken, Task<HttpResponseMessage>>>> BadAnswers() =>
    [
        new(Says("{]", HttpStatusCode.InternalServerError)) { TestName = "{m}(broken JSON)" },
        new(Says("null", HttpStatusCode.InternalServerError)) { TestName = "{m}(null)" },
        new(Says("""{"error_code":"INVALID_STATE","message":"done"}""", HttpStatusCode.BadRequest)) { TestName = "{m}(a refusal)" },
        new(Says("<html>", HttpStatusCode.BadGateway, "text/html")) { TestName = "{m}(a page)" },
        new(TimesOut) { TestName = "{m}(a time-out)" },
        new(_ => throw new HttpRequestException("reset")) { TestName = "{m}(a reset)" },
    ];

    [TestCaseSource(nameof(BadAnswers))]
    public void Whatever_comes_of_the_cancelling_the_cause_is_what_is_told(Func<CancellationToken, Task<HttpResponseMessage>> answer)
    {
        using var workspace = new Workspace { [Submission] = Says(Running), [Look] = Says("""{"error_code":"TEMPORARILY_UNAVAILABLE","message":"later"}""", HttpStatusCode.ServiceUnavailable), [Cancel] = answer };
        Assert.That(() => workspace.ExecuteAsync(), Throws.TypeOf<WorkspaceException>().With.Message.EqualTo("503 TEMPORARILY_UNAVAILABLE: later"));
        Assert.That(workspace.Asked, Is.EqualTo([Submission, Look, Cancel]));
    }

    [Test]
    public void An_answer_that_cannot_be_read_is_the_workspaces_and_cancels_the_statement()
    {
        using var workspace = new Workspace { [Submission] = Says(Running), [Look] = Says("{]"), [Cancel] = Says("{}") };
        Assert.That(() => workspace.ExecuteAsync(), Throws.TypeOf<WorkspaceException>().With.Message.Contains("not the expected JSON"));
        Assert.That(workspace.Asked, Is.EqualTo([Submission, Look, Cancel]));
    }

    private static Func<CancellationToken, Task<HttpResponseMessage>> Says(string body, HttpStatusCode status = HttpStatusCode.OK, string type = "application/json") =>
        _ => Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body, Encoding.UTF8, type) });

    // As HttpClient tells its own limit; that it does is a test of its own.
    private static Task<HttpResponseMessage> TimesOut(CancellationToken cancellationToken) => throw new TaskCanceledException("", new TimeoutException());

    private static Task<HttpResponseMessage> Never(CancellationToken cancellationToken) => new TaskCompletionSource<HttpResponseMessage>().Task.WaitAsync(cancellationToken);

    /// <summary>Answers by method and path, and notes what it was asked.</summary>
    private sealed class Workspace : HttpMessageHandler
    {
        private readonly Dictionary<string, Func<CancellationToken, Task<HttpResponseMessage>>> _answers = [];
        private readonly List<string> _asked = [];

        public IReadOnlyList<string> Asked => _asked;

        public TimeSpan Timeout { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

        public Func<CancellationToken, Task<HttpResponseMessage>> this[string request]
        {
            set => _answers[request] = value;
        }

        public async Task<StatementResult> ExecuteAsync(CancellationToken cancellationToken = default)
        {
            using var http = new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("https://workspace.example"), Timeout = Timeout };
            return await new StatementClient(new WorkspaceClient(http), (_, _) => Task.CompletedTask).ExecuteAsync("SELECT 1", "w1", cancellationToken);
        }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            string asked = $"{request.Method} {request.RequestUri!.AbsolutePath}";
            _asked.Add(asked);
            return _answers[asked](cancellationToken);
        }
    }
}
