using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>A bug that is planted into the text of the product: cache, slot and their stresses are compiled anew with it, and nothing else differs. So what a stress sees is said of the code as it stands.</summary>
/// <param name="Name">What is wrong.</param>
/// <param name="Edits">Where, and what stands there instead.</param>
internal sealed record PlantedBug(string Name, params PlantedBug.Edit[] Edits)
{
    private const string Product = "src/Nhi.TokenExchange/Caching/";
    private const string Tests = "tests/Nhi.TokenExchange.Tests/Caching/";

    private static readonly string[] Files =
        [Product + "ISlotOwner.cs", Product + "ExpiringSlot.cs", Product + "ExpiringCache.cs", Tests + "SlotBench.cs", Tests + "SlotStress.cs", Tests + "CacheStress.cs"];

    // By this name the core lets them in, as it does the tests.
    private static readonly string Friend = typeof(PlantedBug).Assembly.GetName().Name!;

    // As the project has them.
    private const string Usings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks; global using NUnit.Framework;
        """;

    private static readonly Lazy<MetadataReference[]> References = new(() =>
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(file => Path.GetFileNameWithoutExtension(file) != Friend)
            .Select(file => MetadataReference.CreateFromFile(file))]);

    /// <summary>Runs a stress of the code that has the bug.</summary>
    /// <typeparam name="T">What comes back; none of the types that are compiled anew.</typeparam>
    /// <param name="stress">The class.</param>
    /// <param name="method">Its public static method.</param>
    /// <param name="arguments">What the method takes.</param>
    public T Run<T>(Type stress, string method, params object[] arguments)
    {
        using var assembly = new MemoryStream(Compile());
        var context = new AssemblyLoadContext(Name, isCollectible: true);
        return (T)context.LoadFromStream(assembly).GetType(stress.FullName!, throwOnError: true)!.GetMethod(method)!.Invoke(null, arguments)!;
    }

    private byte[] Compile()
    {
        var compilation = CSharpCompilation.Create(
            Friend,
            [CSharpSyntaxTree.ParseText(Usings), .. Files.Select(file => CSharpSyntaxTree.ParseText(TextOf(file), path: file))],
            References.Value,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, nullableContextOptions: NullableContextOptions.Enable));
        using var assembly = new MemoryStream();
        Assert.That(compilation.Emit(assembly).Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error), Is.Empty);
        return assembly.ToArray();
    }

    private string TextOf(string file)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, file)).ReplaceLineEndings("\n");
        foreach (Edit edit in Edits.Where(edit => Product + edit.File == file))
        {
            Assert.That(text.Split(edit.Text), Has.Length.EqualTo(2), $"the place of '{Name}' in {file}");
            text = text.Replace(edit.Text, edit.Instead, StringComparison.Ordinal);
        }
        return text;
    }

    public override string ToString() => Name;

    /// <summary>One place of a bug.</summary>
    /// <param name="File">A file of the product's cache.</param>
    /// <param name="Text">What stands there, once.</param>
    /// <param name="Instead">What is put there.</param>
    internal sealed record Edit(string File, string Text, string Instead);
}
