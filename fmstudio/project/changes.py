"""The one place where a new version of a project is put together, with its indexes."""

from collections.abc import Iterable
from dataclasses import replace

from fmstudio.errors import ProjectError
from fmstudio.project.model import Annotation, Category, ImageItem, NextIds, Project, Touched


class Changes:
    """A new version of a project in the making; `finish` turns it into a Project.

    Takes care of ids, of the indexes, and of knowing what was touched. It checks that ids and
    paths are there or free; ``fmstudio.project.validate`` checks the rest.
    """

    def __init__(self, before: Project) -> None:
        self.before = before
        self.name = before.name
        self.images = before.images.mutate()
        self.categories = before.categories.mutate()
        self.annotations = before.annotations.mutate()
        self.next_ids = before.next_ids
        self._of_image = before.of_image.mutate()
        self._of_path = before.of_path.mutate()
        self._images: set[int] = set()
        self._categories: set[int] = set()
        self._annotations: set[int] = set()

    def finish(self) -> Project:
        """Return the new version, or the old one itself if nothing was touched."""
        touched = Touched(
            frozenset(self._images), frozenset(self._categories), frozenset(self._annotations)
        )
        if touched == Touched() and self.name == self.before.name:
            return self.before
        return Project(
            self.name,
            self.images.finish() if self._images else self.before.images,
            self.categories.finish() if self._categories else self.before.categories,
            self.annotations.finish() if self._annotations else self.before.annotations,
            self._of_image.finish() if self._annotations else self.before.of_image,
            self._of_path.finish() if self._images else self.before.of_path,
            self.next_ids,
            parent=self.before.stamp,
            touched=touched,
        )

    def image(self, image_id: int) -> ImageItem:
        """Return an image as it stands; raises ProjectError if there is none."""
        image = self.images.get(image_id)
        if image is None:
            raise ProjectError(f"There is no image {image_id} in the project: it was removed.")
        return image

    def category(self, category_id: int) -> Category:
        """Return a category as it stands; raises ProjectError if there is none."""
        category = self.categories.get(category_id)
        if category is None:
            raise ProjectError(f"There is no category {category_id} in the project.")
        return category

    def annotation(self, annotation_id: int) -> Annotation:
        """Return an annotation as it stands; raises ProjectError if there is none."""
        annotation = self.annotations.get(annotation_id)
        if annotation is None:
            raise ProjectError(f"There is no annotation {annotation_id}: it was removed.")
        return annotation

    def annotations_of(self, image_id: int) -> tuple[Annotation, ...]:
        """Return the annotations of an image as they stand, by ascending id."""
        return tuple(self.annotations[id_] for id_ in self._of_image.get(image_id, ()))

    def add_image(self, image: ImageItem, *, keep_id: bool = False) -> int:
        """Add an image under the next id, or under its own; return the id."""
        id_ = image.id if keep_id else self.next_ids.image
        if image.path in self._of_path:
            raise ProjectError(f"The image '{image.path}' is in the project already.")
        self.next_ids = replace(self.next_ids, image=max(self.next_ids.image, id_ + 1))
        self.images[id_] = image if image.id == id_ else replace(image, id=id_)
        self._of_path[image.path] = id_
        self._images.add(id_)
        return id_

    def put_images(self, images: Iterable[ImageItem]) -> None:
        """Replace the images of these ids; their paths may change places."""
        images = tuple(images)
        for image in images:
            del self._of_path[self.image(image.id).path]
        for image in images:
            if image.path in self._of_path:
                raise ProjectError(f"The image '{image.path}' is in the project already.")
            self._of_path[image.path] = image.id
            self.images[image.id] = image
            self._images.add(image.id)

    def remove_image(self, image_id: int) -> None:
        """Remove an image and its annotations."""
        image = self.image(image_id)
        for annotation in self.annotations_of(image_id):
            self.remove_annotation(annotation.id)
        del self._of_path[image.path]
        del self.images[image_id]
        self._images.add(image_id)

    def add_category(self, category: Category, *, keep_id: bool = False) -> int:
        """Add a category under the next id, or under its own; return the id."""
        id_ = category.id if keep_id else self.next_ids.category
        self.next_ids = replace(self.next_ids, category=max(self.next_ids.category, id_ + 1))
        self.categories[id_] = category if category.id == id_ else replace(category, id=id_)
        self._categories.add(id_)
        return id_

    def put_category(self, category: Category) -> None:
        """Replace the category of the same id."""
        self.category(category.id)
        self.categories[category.id] = category
        self._categories.add(category.id)

    def remove_category(self, category_id: int) -> None:
        """Remove a category; its annotations must be gone."""
        self.category(category_id)
        del self.categories[category_id]
        self._categories.add(category_id)

    def add_annotation(self, annotation: Annotation, *, keep_id: bool = False) -> int:
        """Add an annotation under the next id, or under its own; return the id."""
        self.image(annotation.image_id)
        self.category(annotation.category_id)
        id_ = annotation.id if keep_id else self.next_ids.annotation
        self.next_ids = NextIds(
            self.next_ids.image, self.next_ids.category, max(self.next_ids.annotation, id_ + 1)
        )
        self.annotations[id_] = annotation if annotation.id == id_ else replace(annotation, id=id_)
        ids = self._of_image.get(annotation.image_id, ())
        self._of_image[annotation.image_id] = tuple(sorted((*ids, id_)))
        self._annotations.add(id_)
        return id_

    def put_annotation(self, annotation: Annotation) -> None:
        """Replace the annotation of the same id; it stays on its image."""
        if self.annotation(annotation.id).image_id != annotation.image_id:
            raise ProjectError(f"Annotation {annotation.id} cannot move to another image.")
        self.annotations[annotation.id] = annotation
        self._annotations.add(annotation.id)

    def remove_annotation(self, annotation_id: int) -> None:
        """Remove an annotation."""
        image_id = self.annotation(annotation_id).image_id
        ids = tuple(id_ for id_ in self._of_image[image_id] if id_ != annotation_id)
        if ids:
            self._of_image[image_id] = ids
        else:
            del self._of_image[image_id]
        del self.annotations[annotation_id]
        self._annotations.add(annotation_id)
