using System.Reflection;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>What reviews need not look for.</summary>
public partial class ConventionTests
{
    private static readonly Assembly Core = typeof(JobSession).Assembly;
    private static readonly Assembly Emulator = typeof(ManualTimeProvider).Assembly;
    private static readonly string[] OpenBases = ["Credential", "CredentialProvider`1", "TokenExchanger", "TokenExchanger`1", "TokenExchangeException"];

    // Of what a hit runs through all but Caching: the look-up by name, the provider, and the request that is the key.
    private static readonly string[] RestOfAHit =
        [.. new[] { "SlotProvider", "CredentialProvider", "CredentialRequest", "CredentialCaller", "ScopeSet", "Credential", "LeaseRecord" }.Select(name => $"Credentials/{name}.cs"), "Jobs/JobSession.cs", "Exchange/TargetRuntime.cs"];

    [Test]
    public void Core_references_no_cloud_no_web_server_and_no_satellite()
    {
        string[] forbidden = ["Azure.", "Amazon", "AWSSDK", "Google.", "Microsoft.AspNetCore", "Microsoft.Identity", "Nhi."];
        Assert.That(Core.GetReferencedAssemblies().Select(a => a.Name!).Where(name => forbidden.Any(f => name.StartsWith(f, StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void Nobody_but_Caching_touches_memory_order_or_locks() =>
        Assert.That(
            Repository.Sources("src/Nhi.TokenExchange")
                .Where(file => !file.Path.StartsWith("src/Nhi.TokenExchange/Caching/", StringComparison.Ordinal) && MemoryOrder().IsMatch(WithoutComments(file.Text)))
                .Select(file => file.Path),
            Is.Empty);

    [Test]
    public void Caching_takes_no_lock_nor_does_what_else_a_hit_runs_through() =>
        Assert.That(
            Repository.Sources("src/Nhi.TokenExchange/Caching").Select(file => file.Path).Concat(RestOfAHit.Select(file => "src/Nhi.TokenExchange/" + file))
                .Where(file => Locks().IsMatch(WithoutComments(File.ReadAllText(Path.Combine(Repository.Root, file))))),
            Is.Empty);

    [Test]
    public void Everything_about_a_slots_memory_order_fits_in_150_lines() =>
        Assert.That(File.ReadAllLines(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/Caching/ExpiringSlot.cs")), Has.Length.LessThanOrEqualTo(150));

    // A process that is stopped, or a machine that stands still, would use it up in the midst of a short name.
    [Test]
    public void No_pattern_has_a_time_limit() =>
        Assert.That(
            Core.GetTypes().Concat(Emulator.GetTypes()).SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
                .Where(method => method.GetCustomAttribute<GeneratedRegexAttribute>() is { MatchTimeoutMilliseconds: > 0 })
                .Select(method => $"{method.DeclaringType!.Name}.{method.Name}"),
            Is.Empty);

    [Test]
    public void Files_of_src_hold_one_idea() =>
        Assert.That(Repository.Sources("src").Where(file => file.Text.Count(c => c == '\n') > 300).Select(file => file.Path), Is.Empty);

    [Test]
    public void Public_classes_are_sealed_static_or_listed_bases() =>
        Assert.That(
            PublicTypes().Where(type => type is { IsClass: true, IsSealed: false } && !OpenBases.Contains(type.Name)).Select(type => type.Name),
            Is.Empty);

    [Test]
    public void No_type_is_called_by_its_job_instead_of_by_what_it_is() =>
        Assert.That(
            Core.GetTypes().Concat(Emulator.GetTypes()).Where(type => !type.Name.StartsWith('<'))
                .Where(type => JobNames().IsMatch(type.Name.Split('`')[0])).Select(type => type.Name),
            Is.Empty);

    [Test]
    public void All_types_live_in_the_one_namespace() =>
        Assert.That(PublicTypes().Where(type => type.Namespace is not "Nhi.TokenExchange" and not "Microsoft.Extensions.DependencyInjection").Select(type => type.FullName), Is.Empty);

    [Test]
    public void Asynchronous_methods_end_in_Async_and_take_a_token_last() =>
        Assert.That(
            from type in PublicTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where IsTask(method.ReturnType) && !method.IsSpecialName && method.Name != "DisposeAsync" && type.BaseType != typeof(MulticastDelegate)
            where method.GetBaseDefinition().DeclaringType!.Assembly == type.Assembly
            where !method.Name.EndsWith("Async", StringComparison.Ordinal) || method.GetParameters().LastOrDefault()?.ParameterType != typeof(CancellationToken)
            select $"{type.Name}.{method.Name}",
            Is.Empty);

    [Test]
    public void P12_A_text_becomes_a_token_only_in_a_constructor_of_a_credential_or_a_proof() =>
        Assert.That(
            from type in Core.GetExportedTypes()
            from method in type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly).OfType<MethodBase>()
            where method.IsPublic || method.IsFamily
            where !(method.IsConstructor && (typeof(Credential).IsAssignableFrom(type) || type == typeof(SubjectToken)))
            from parameter in method.GetParameters()
            where parameter.ParameterType == typeof(string) && SecretNames().IsMatch(parameter.Name!)
            select $"{type.Name}.{method.Name}({parameter.Name})",
            Is.Empty);

    [Test]
    public void What_holds_a_secret_cannot_be_printed_and_is_no_record()
    {
        IEnumerable<Type> holders = Core.GetTypes().Where(type => typeof(Credential).IsAssignableFrom(type) || type == typeof(SubjectToken));
        Assert.That(holders.Where(type => type.GetMethod("<Clone>$") is not null), Is.Empty);
        Assert.That(
            from type in Core.GetTypes().Where(type => type.GetMethod("<Clone>$") is not null)
            from property in type.GetProperties(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            where property.PropertyType == typeof(string) && SecretMembers().IsMatch(property.Name)
            select $"{type.Name}.{property.Name}",
            Is.Empty, "a record prints its members");
        Assert.That(typeof(Credential).GetMethod("ToString")!.IsFinal, Is.True);
        Assert.That(typeof(Credential).GetMethod("Equals", [typeof(object)])!.IsFinal, Is.True);
    }

    [Test]
    public void Error_codes_are_unique_and_each_has_its_paragraph_in_the_docs()
    {
        string[] codes = [.. Core.GetType("Nhi.TokenExchange.ErrorCodes")!.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];
        string docs = File.ReadAllText(Path.Combine(Repository.Root, "docs/errors.md"));
        Assert.That(codes, Is.Unique);
        Assert.That(codes, Is.All.Match("^NHI[1-8][0-9]{3}$"));
        Assert.That(codes.Where(code => !docs.Contains($"## {code}", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Each_error_links_to_the_anchor_of_its_paragraph_in_a_page_that_the_package_has_in_it()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/errors.md"));
        string[] codes = [.. typeof(ErrorCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!)];
        foreach (string code in codes)
        {
            string[] link = new TokenExchangeException(code, ExchangeStage.Exchange, "failed").HelpLink!.Split('#');
            Assert.That(link[0], Is.EqualTo("docs/errors.md"), code);
            Assert.That(page, Does.Contain($"<a id=\"{link[1]}\"></a>\n\n## {code}: "), "the anchor stands right before the heading");
        }
        string project = File.ReadAllText(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/Nhi.TokenExchange.csproj"));
        Assert.That(project, Does.Contain("<None Include=\"../../docs/errors.md\" Pack=\"true\" PackagePath=\"docs/\""));
    }

    [Test]
    public void What_is_in_a_package_names_no_page_that_is_not()
    {
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*", SearchOption.AllDirectories)
            .Where(file => Path.GetExtension(file) is ".cs" or ".md" or ".json" or ".targets" && !file.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj"]).Any())];

        Assert.That(files, Has.Length.GreaterThan(100));
        foreach (string file in files)
            Assert.That(PageName().Matches(File.ReadAllText(file)).Select(name => name.Value).Where(name => name != "docs/errors.md"), Is.Empty, $"{file}: say it there, or name the page by its title");
        string errors = File.ReadAllText(Path.Combine(Repository.Root, "docs/errors.md"));
        Assert.That(PageName().Matches(errors).Select(name => name.Value).Where(name => name != "docs/errors.md"), Is.Empty, "docs/errors.md is packed alone: a link to another page leads nowhere");
    }

    [Test]
    public void Every_kind_of_error_has_its_link_and_a_code_of_another_form_has_none()
    {
        Assert.That(new AccessDeniedException("rule", "denied").HelpLink, Is.EqualTo("docs/errors.md#nhi3001"));
        Assert.That(new IdentityUnavailableException("NHI2001", "none").Again("none", null).HelpLink, Is.EqualTo("docs/errors.md#nhi2001"));
        Assert.That(new TokenExchangeException("ACME17", ExchangeStage.Exchange, "of a plug-in").HelpLink, Is.Null);
    }

    [Test]
    public void No_feed_and_no_download_address_is_written_down()
    {
        string config = File.ReadAllText(Path.Combine(Repository.Root, "nuget.config"));
        Assert.That(config, Does.Not.Contain("packageSources").And.Not.Contain("http"));
        IEnumerable<string> locks = Directory.EnumerateFiles(Repository.Root, "*lock.json", SearchOption.AllDirectories)
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal) && !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
        Assert.That(locks.Where(file => File.ReadAllText(file).Contains("\"resolved\": \"http", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void The_public_surface_of_core_stays_small() =>
        Assert.That(
            File.ReadAllLines(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/PublicAPI.Shipped.txt"))
                .Concat(File.ReadAllLines(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/PublicAPI.Unshipped.txt")))
                // Option types aside; a settable property is one thing, and so is the equality of a value type, though the listing shows their parts.
                .Count(line => line.Length > 0 && !SurfaceParts().IsMatch(line)),
            // 492 for the core itself; 3 extension classes with their 5 methods, because .NET looks for such in the namespace of what they extend; 81 for what an auditor reads a trail with.
            Is.LessThanOrEqualTo(581));

    private static IEnumerable<Type> PublicTypes() => Core.GetExportedTypes().Concat(Emulator.GetExportedTypes());

    private static bool IsTask(Type type) =>
        type == typeof(Task) || type == typeof(ValueTask) || (type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>)));

    private static string WithoutComments(string text) => Comments().Replace(text, "");

    [GeneratedRegex(@"Options\.|\.init ->|\.(Equals|GetHashCode|operator)\b")]
    private static partial Regex SurfaceParts();

    [GeneratedRegex(@"\b(Volatile\.|Interlocked\.|lock\s*\(|\bvolatile\b|new Lock\()")]
    private static partial Regex MemoryOrder();

    [GeneratedRegex(@"\b(lock\s*\(|Lock\b|Monitor\.|Semaphore|Mutex|SpinLock|ReaderWriterLock|MethodImplOptions\.Synchronized)")]
    private static partial Regex Locks();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"([\w.-]+/)*[\w-]+\.md\b")]
    private static partial Regex PageName();

    [GeneratedRegex(@"(Manager|Helper|Helpers|Utils|Util|Common|Impl|Data|Info|Service)$")]
    private static partial Regex JobNames();

    [GeneratedRegex(@"^(token|secret|password|accessToken|clientSecret|apiKey|key)$", RegexOptions.IgnoreCase)]
    private static partial Regex SecretNames();

    [GeneratedRegex("(Secret|Password|Assertion|Token|Proof|Jwt)$")]
    private static partial Regex SecretMembers();
}
